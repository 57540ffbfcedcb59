# bin/krait with the names that programs look for, headers, extension modules,
# and the standard library (tools/install_library.py).
include(GNUInstallDirs)
option(KR_INSTALL_LIBRARY "Install a copy of the standard library" ON)
install(TARGETS krait RUNTIME DESTINATION bin)
install(TARGETS python_shim LIBRARY DESTINATION lib/krait)
install(TARGETS libpython_shared OPTIONAL LIBRARY DESTINATION lib)
install(FILES ${KR_LIBRARY_DIR}/libpython3.11.a DESTINATION lib OPTIONAL)
install(TARGETS ${KR_SHARED_MODULES} LIBRARY DESTINATION lib/krait/lib-dynload)
install(DIRECTORY include/python3.11 DESTINATION include)
install(DIRECTORY lib/krait DESTINATION lib/krait/lib-dynload
  FILES_MATCHING PATTERN "*.py")
foreach(name python3.11 python3 python)
  install(CODE "file(CREATE_LINK krait
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${name}\" SYMBOLIC)")
endforeach()
if(KR_INSTALL_LIBRARY)
  install(CODE "execute_process(COMMAND ${PROJECT_BINARY_DIR}/krait -I
    ${PROJECT_SOURCE_DIR}/tools/install_library.py ${KR_STDLIB}
    \"\${CMAKE_INSTALL_PREFIX}\" \"\$ENV{DESTDIR}\"
    COMMAND_ERROR_IS_FATAL ANY)")
endif()
