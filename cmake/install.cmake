# cmake --install: headers, libraries, node_runtime, and a package that find_package(quorate) finds.
include(CMakePackageConfigHelpers)

foreach(folder IN ITEMS actors protocols balancers sync runtime tests/harness)
  cmake_path(GET folder PARENT_PATH parent)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "include/quorate/${parent}"
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.proto")
endforeach()
install(DIRECTORY "${PROJECT_BINARY_DIR}/generated/" DESTINATION include/quorate FILES_MATCHING PATTERN "*.pb.h")

install(EXPORT quorate NAMESPACE quorate:: DESTINATION lib/cmake/quorate FILE quorate-targets.cmake)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/quorate-config.cmake.in"
  "${PROJECT_BINARY_DIR}/quorate-config.cmake" INSTALL_DESTINATION lib/cmake/quorate)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/quorate-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/quorate-config.cmake" "${PROJECT_BINARY_DIR}/quorate-config-version.cmake"
  DESTINATION lib/cmake/quorate)
