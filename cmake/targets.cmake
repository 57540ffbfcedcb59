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

add_library(kr_objects OBJECT ${KR_SOURCES} ${KR_GENERATED_SOURCES}
  ${GEN}/kr_ids.c)
set_source_files_properties(${GEN}/kr_ids.c PROPERTIES
  GENERATED TRUE OBJECT_DEPENDS ${GEN}/kr_ids.stamp)
set_source_files_properties(${GEN}/kr_stubs.c PROPERTIES
  COMPILE_OPTIONS "-fno-lto")
target_link_libraries(kr_objects PUBLIC kr_flags)
target_compile_definitions(kr_objects PRIVATE
  KR_STDLIB="${KR_STDLIB}"
  KR_EXTENSION_DIR="${PROJECT_BINARY_DIR}/lib-dynload")
add_dependencies(kr_objects kr_generated)

set(KR_LINK_OPTIONS -rdynamic
  -Wl,--dynamic-list=${GEN}/kr_exports.txt)
function(kr_program name)
  add_executable(${name} $<TARGET_OBJECTS:kr_objects> ${ARGN})
  target_link_libraries(${name} PRIVATE kr_flags m dl pthread)
  set_target_properties(${name} PROPERTIES
    LINK_DEPENDS ${GEN}/kr_exports.txt ENABLE_EXPORTS ON)
  target_link_options(${name} PRIVATE
    -Wl,--dynamic-list=${GEN}/kr_exports.txt)
endfunction()

kr_program(krait)

add_library(python_shim SHARED tools/shim.c)
set_target_properties(python_shim PROPERTIES
  OUTPUT_NAME python3.11 SOVERSION 1.0
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
