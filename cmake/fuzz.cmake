# Fuzz targets: replay_NAME runs files with a plain main(), fuzz_NAME (in the
# fuzz preset) is driven by libFuzzer. See fuzz/README.md.
set(KR_FUZZERS source marshal pyc)
foreach(name ${KR_FUZZERS})
  list(APPEND KR_FUZZ_PROGRAMS replay_${name})
  kr_program(replay_${name} fuzz/fuzz_${name}.c
    fuzz/fuzz.c fuzz/replay.c
    ${KR_FROZEN_TABLE})
  if(KR_FUZZ)
    list(APPEND KR_FUZZ_PROGRAMS fuzz_${name})
    kr_program(fuzz_${name} fuzz/fuzz_${name}.c
      fuzz/fuzz.c ${KR_FROZEN_TABLE})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endforeach()
set_target_properties(${KR_FUZZ_PROGRAMS} PROPERTIES EXCLUDE_FROM_ALL TRUE
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
add_custom_target(fuzzers DEPENDS ${KR_FUZZ_PROGRAMS})
