# bin/krait with the names that programs look for, headers, extension modules.
include(GNUInstallDirs)
install(TARGETS krait RUNTIME DESTINATION bin)
install(TARGETS python_shim LIBRARY DESTINATION lib)
install(TARGETS ${KR_SHARED_MODULES} LIBRARY DESTINATION lib/krait/lib-dynload)
install(DIRECTORY include/python3.11 DESTINATION include)
install(DIRECTORY lib/krait DESTINATION lib/krait/lib-dynload
  FILES_MATCHING PATTERN "*.py")
foreach(name python3.11 python3 python)
  install(CODE "file(CREATE_LINK krait
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${name}\" SYMBOLIC)")
endforeach()
