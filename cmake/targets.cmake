# The runtime as one object library, the program, and the library that only
# carries libpython's name.

# Native modules over other libraries: shared objects, loaded on demand.
set(KR_SHARED_MODULES "")
function(kr_shared_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(mod_${name} MODULE ${ARG_SOURCES})
  target_link_libraries(mod_${name} PRIVATE kr_flags ${ARG_LIBRARIES})
  add_dependencies(mod_${name} kr_generated)
  set_target_properties(mod_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX ".cpython-311-x86_64-linux-gnu.so"
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib-dynload)
  set(KR_SHARED_MODULES ${KR_SHARED_MODULES} mod_${name} PARENT_SCOPE)
endfunction()
include(cmake/shared_modules.cmake)
# The package `krait` lies where only krait looks, beside those modules.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/lib-dynload)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/lib/krait
  ${PROJECT_BINARY_DIR}/lib-dynload/krait SYMBOLIC)

list(REMOVE_ITEM KR_SOURCES ${PROJECT_SOURCE_DIR}/src/cli/program.c)
add_library(kr_objects OBJECT ${KR_SOURCES} ${KR_GENERATED_SOURCES}
  ${GEN}/kr_ids.c)
set_source_files_properties(${GEN}/kr_ids.c PROPERTIES
  GENERATED TRUE OBJECT_DEPENDS ${GEN}/kr_ids.stamp)
set_source_files_properties(${GEN}/kr_stubs.c PROPERTIES
  COMPILE_OPTIONS "-fno-lto")
target_link_libraries(kr_objects PUBLIC kr_flags)
# Only for the files that read them: elsewhere they would keep ccache from
# knowing the same file in another build directory.
set_source_files_properties(src/runtime/config/paths.c
  src/runtime/import/import.c PROPERTIES COMPILE_DEFINITIONS
  "KR_STDLIB=\"${KR_STDLIB}\";KR_EXTENSION_DIR=\"${PROJECT_BINARY_DIR}/lib-dynload\"")
add_dependencies(kr_objects kr_generated)

# The runtime for other programs, libpython3.11.so and .a, needs objects that may
# lie anywhere. Only builds for users have two sets of them.
if(KR_LTO)
  add_library(kr_library_objects OBJECT EXCLUDE_FROM_ALL ${KR_SOURCES}
    ${KR_GENERATED_SOURCES} ${GEN}/kr_ids.c)
  target_link_libraries(kr_library_objects PUBLIC kr_flags)
  add_dependencies(kr_library_objects kr_generated)
  set_target_properties(kr_library_objects PROPERTIES KR_PLAIN_OBJECTS ON)
else()
  add_library(kr_library_objects ALIAS kr_objects)
endif()
get_target_property(KR_LIBRARY_OBJECTS kr_library_objects ALIASED_TARGET)
if(NOT KR_LIBRARY_OBJECTS)
  set(KR_LIBRARY_OBJECTS kr_library_objects)
endif()
set_target_properties(${KR_LIBRARY_OBJECTS} PROPERTIES
  POSITION_INDEPENDENT_CODE ON)
target_compile_options(${KR_LIBRARY_OBJECTS} PRIVATE -ftls-model=initial-exec)

# kr_program(NAME SOURCES...): the runtime and a main().
function(kr_program name)
  add_executable(${name} $<TARGET_OBJECTS:kr_objects> ${ARGN})
  target_link_libraries(${name} PRIVATE kr_flags m dl pthread)
  set_target_properties(${name} PROPERTIES
    LINK_DEPENDS ${GEN}/kr_exports.txt)
  target_link_options(${name} PRIVATE
    -Wl,--dynamic-list=${GEN}/kr_exports.txt)
endfunction()

# The bootstrap program has no frozen modules: it compiles the library's
# importlib at its start, and with that makes the table for the real one.
# KR_FROZEN names a table that another build has made already.
set(KR_FROZEN "" CACHE FILEPATH "Frozen modules to use instead of making them")
if(KR_FROZEN)
  set(KR_FROZEN_TABLE ${KR_FROZEN})
else()
  set(KR_FROZEN_TABLE ${GEN}/kr_frozen.c)
  kr_program(krait_boot src/cli/program.c)
  file(GLOB KR_FROZEN_SOURCES ${KR_STDLIB}/*.py ${KR_STDLIB}/importlib/*.py)
  add_custom_command(
    OUTPUT ${GEN}/kr_frozen.c
    COMMAND ${CMAKE_COMMAND} -E env LLVM_PROFILE_FILE=/dev/null
            $<TARGET_FILE:krait_boot> -S -E -B
            ${PROJECT_SOURCE_DIR}/tools/freeze.py ${KR_STDLIB}
            ${GEN}/kr_frozen.c
    DEPENDS krait_boot tools/freeze.py ${KR_FROZEN_SOURCES}
    COMMENT "Freezing the modules that start-up needs")
endif()
kr_program(krait src/cli/program.c ${KR_FROZEN_TABLE})

set(KR_LIBRARY_DIR ${PROJECT_BINARY_DIR}/lib)
add_library(libpython_shared SHARED EXCLUDE_FROM_ALL
  $<TARGET_OBJECTS:kr_library_objects> ${KR_FROZEN_TABLE})
target_link_libraries(libpython_shared PRIVATE kr_flags m dl pthread)
target_link_options(libpython_shared PRIVATE
  -Wl,--version-script=${GEN}/kr_exports.map)
set_target_properties(libpython_shared PROPERTIES
  OUTPUT_NAME python3.11 SOVERSION 1.0 KR_PLAIN_OBJECTS ON
  LINK_DEPENDS ${GEN}/kr_exports.map LIBRARY_OUTPUT_DIRECTORY ${KR_LIBRARY_DIR})
# The archive has one member: extension modules may want any part of it, and what
# is defined must go before its weak namesake in kr_stubs.c.
add_custom_command(
  OUTPUT ${KR_LIBRARY_DIR}/libpython3.11.a
  COMMAND ${CMAKE_COMMAND} -E make_directory ${KR_LIBRARY_DIR}
  COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o python.o
          $<TARGET_OBJECTS:kr_library_objects>
          $<FILTER:$<TARGET_OBJECTS:libpython_shared>,INCLUDE,kr_frozen>
  COMMAND ${CMAKE_COMMAND} -E rm -f ${KR_LIBRARY_DIR}/libpython3.11.a
  COMMAND ${CMAKE_AR} rcs ${KR_LIBRARY_DIR}/libpython3.11.a python.o
  COMMAND ${CMAKE_COMMAND} -E rm python.o
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  DEPENDS libpython_shared kr_library_objects
  COMMAND_EXPAND_LISTS
  COMMENT "Writing libpython3.11.a")
add_custom_target(libpython DEPENDS libpython_shared
  ${KR_LIBRARY_DIR}/libpython3.11.a)

# Unit tests: each is linked with the whole runtime.
file(GLOB KR_UNIT_TESTS CONFIGURE_DEPENDS tests/unit/test_*.c)
foreach(source ${KR_UNIT_TESTS})
  get_filename_component(name ${source} NAME_WE)
  kr_program(${name} ${source})
  target_include_directories(${name} PRIVATE tests/unit)
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  list(APPEND KR_UNIT_TARGETS ${name})
endforeach()
add_custom_target(unit_tests DEPENDS ${KR_UNIT_TARGETS})

add_library(python_shim SHARED tools/shim.c)
set_target_properties(python_shim PROPERTIES
  OUTPUT_NAME python3.11 SOVERSION 1.0
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
