# What every object of ours is compiled with. Signed numbers wrap; builds with
# sanitizers report that instead.
set(KR_WRAP -fwrapv)
if(KR_SANITIZE)
  set(KR_WRAP "")
endif()
add_library(kr_flags INTERFACE)
target_compile_definitions(kr_flags INTERFACE _GNU_SOURCE)
target_compile_options(kr_flags INTERFACE
  -Wall -Wextra -Wstrict-prototypes -Wno-unused-parameter
  -Wno-missing-field-initializers -Wno-cast-function-type
  ${KR_WRAP} -fno-strict-aliasing -fno-semantic-interposition)
target_include_directories(kr_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/include/python3.11
  ${PROJECT_SOURCE_DIR}/src
  ${PROJECT_BINARY_DIR}/gen)

if(KR_SANITIZE)
  # The convention of the tail-call dispatch leaves sanitizers no room. The C
  # API has slots of one type for functions of several (PyCFunction for those
  # with keywords, destructor for those of a type's own struct), so a call
  # through another type of function is no finding. Whether a report ends the
  # program is an option of its own: src/cli/sanitizers.c.
  target_compile_definitions(kr_flags INTERFACE KR_DISPATCH=KR_DISPATCH_GOTO)
  target_compile_options(kr_flags INTERFACE
    -fsanitize=${KR_SANITIZE} -fno-sanitize=function
    -fno-omit-frame-pointer)
  target_link_options(kr_flags INTERFACE -fsanitize=${KR_SANITIZE})
endif()
if(KR_STRESS)
  target_compile_definitions(kr_flags INTERFACE KR_STRESS_BUILD)
endif()
if(KR_FUZZ)
  target_compile_options(kr_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(kr_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(KR_LTO)
  # Targets with KR_PLAIN_OBJECTS are for other people's linkers.
  target_compile_options(kr_flags INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:KR_PLAIN_OBJECTS>>>:-flto=thin>)
  target_link_options(kr_flags INTERFACE -flto=thin
    -Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/lto-cache)
endif()
if(KR_PGO STREQUAL "generate")
  target_compile_options(kr_flags INTERFACE -fprofile-generate)
  target_link_options(kr_flags INTERFACE -fprofile-generate)
elseif(KR_PGO)
  target_compile_options(kr_flags INTERFACE -fprofile-use=${KR_PGO}
    -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date
    -Wno-backend-plugin)
  target_link_options(kr_flags INTERFACE -fprofile-use=${KR_PGO})
  if(KR_LTO AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # What the training never ran is compiled for size and goes apart, so that
    # the pages of running code are full of it: a third of a small process's
    # memory is the program itself.
    set(KR_LAYOUT "SHELL:-mllvm -profile-summary-cold-count=0"
      "SHELL:-mllvm -pgo-cold-func-opt=optsize")
    target_compile_options(kr_flags INTERFACE ${KR_LAYOUT})
    target_link_options(kr_flags INTERFACE -fsplit-machine-functions
      -Wl,-z,keep-text-section-prefix
      -Wl,-mllvm,-profile-summary-cold-count=0
      -Wl,-mllvm,-mfs-psi-cutoff=0)
    if(KR_ORDER)
      target_link_options(kr_flags INTERFACE
        -Wl,--symbol-ordering-file=${KR_ORDER}
        -Wl,--no-warn-symbol-ordering)
    endif()
  endif()
endif()
# A program at a fixed address, as the reference's: every use of a type or a
# table is shorter by an instruction.
set(KR_TYPE $<TARGET_PROPERTY:TYPE>)
target_compile_options(kr_flags INTERFACE
  $<$<NOT:$<OR:$<IN_LIST:${KR_TYPE},MODULE_LIBRARY$<SEMICOLON>SHARED_LIBRARY>,$<BOOL:$<TARGET_PROPERTY:POSITION_INDEPENDENT_CODE>>>>:-fno-pie>)
# A few helpers of libgcc are no reason to load it.
target_link_options(kr_flags INTERFACE -static-libgcc
  $<$<STREQUAL:${KR_TYPE},EXECUTABLE>:-no-pie>)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_link_options(kr_flags INTERFACE -fuse-ld=lld)
endif()
