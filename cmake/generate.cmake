# Code made at build time by the small C programs in tools/.
set(GEN ${PROJECT_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${GEN})

file(GLOB_RECURSE KR_HEADERS CONFIGURE_DEPENDS src/*.h src/*.def)
file(GLOB_RECURSE KR_SOURCES CONFIGURE_DEPENDS src/*.c)
list(FILTER KR_SOURCES EXCLUDE REGEX "/src/modules/shared/")
if(NOT KR_SANITIZE)
  list(FILTER KR_SOURCES EXCLUDE REGEX "/src/cli/sanitizers\\.c$")
endif()
file(GLOB KR_OPS CONFIGURE_DEPENDS src/vm/ops/*.c)
list(REMOVE_ITEM KR_SOURCES ${KR_OPS})

# kr_tool(NAME SOURCES...): a build-time program, always optimised a little and
# never instrumented.
function(kr_tool name)
  add_executable(${name} ${ARGN})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -Wall -Wextra -O1)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools)
endfunction()

kr_tool(idgen tools/idgen.c)
kr_tool(abigen tools/abigen.c)
kr_tool(unigen tools/unigen.c)
kr_tool(astgen tools/astgen.c)
kr_tool(opgen tools/opgen.c)
file(GLOB KR_PEGGEN CONFIGURE_DEPENDS tools/peggen.c tools/peggen/*.c)
kr_tool(peggen ${KR_PEGGEN})

add_custom_command(
  OUTPUT ${GEN}/kr_ids.stamp
  BYPRODUCTS ${GEN}/kr_ids.h ${GEN}/kr_ids.c
  COMMAND idgen ${GEN} ${KR_SOURCES} ${KR_OPS} ${KR_HEADERS}
  COMMAND ${CMAKE_COMMAND} -E touch ${GEN}/kr_ids.stamp
  DEPENDS idgen ${KR_SOURCES} ${KR_OPS} ${KR_HEADERS}
  COMMENT "Collecting interned names")
set(KR_ABI ${PROJECT_SOURCE_DIR}/tools/abi)
add_custom_command(
  OUTPUT ${GEN}/kr_stubs.c ${GEN}/kr_layouts.c ${GEN}/kr_exports.txt
    ${GEN}/kr_exports.map
  COMMAND abigen ${GEN} ${KR_ABI}/symbols.tsv ${KR_ABI}/layouts.tsv
  DEPENDS abigen ${KR_ABI}/symbols.tsv ${KR_ABI}/layouts.tsv
  COMMENT "Writing ABI stubs and layout checks")
file(GLOB KR_UNICODE CONFIGURE_DEPENDS grammar/unicode/*)
add_custom_command(
  OUTPUT ${GEN}/kr_unicode_db.c ${GEN}/kr_unicode_db.h
         ${GEN}/kr_unicode_names.c ${GEN}/kr_unicode_names.h
  COMMAND unigen ${GEN} ${PROJECT_SOURCE_DIR}/grammar/unicode
  DEPENDS unigen ${KR_UNICODE}
  COMMENT "Writing Unicode tables")
add_custom_command(
  OUTPUT ${GEN}/kr_ast.c ${GEN}/kr_ast.h
  COMMAND astgen ${GEN} ${PROJECT_SOURCE_DIR}/grammar/ast.def
  DEPENDS astgen grammar/ast.def
  COMMENT "Writing the syntax tree")
add_custom_command(
  OUTPUT ${GEN}/kr_parser.c ${GEN}/kr_tokens.h
  COMMAND peggen ${GEN} ${PROJECT_SOURCE_DIR}/grammar/tokens.def
          ${PROJECT_SOURCE_DIR}/grammar/python.gram
  DEPENDS peggen grammar/tokens.def grammar/python.gram
  COMMENT "Writing the parser")
add_custom_command(
  OUTPUT ${GEN}/kr_ops.h ${GEN}/kr_op_list.h ${GEN}/kr_opcode_tables.h
    ${GEN}/instructions.md
  COMMAND opgen ${GEN} ${KR_OPS}
  DEPENDS opgen ${KR_OPS}
  COMMENT "Writing the interpreter's instructions")

set(KR_GENERATED_SOURCES
  ${GEN}/kr_stubs.c ${GEN}/kr_layouts.c ${GEN}/kr_unicode_db.c
  ${GEN}/kr_unicode_names.c
  ${GEN}/kr_ast.c ${GEN}/kr_parser.c)
add_custom_target(kr_generated DEPENDS
  ${GEN}/kr_ids.stamp ${GEN}/kr_stubs.c ${GEN}/kr_unicode_db.c
  ${GEN}/kr_ast.c ${GEN}/kr_parser.c ${GEN}/kr_ops.h)
