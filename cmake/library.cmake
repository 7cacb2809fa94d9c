# quorate_library(<name> [EXCLUDE <file>...] [LINK <target>...])
#
# Makes library quorate_<name>, alias quorate::<name>, of all .cpp and .proto files in and below the
# calling folder, so that a new file needs no edit of a CMakeLists.txt.
function(quorate_library name)
  cmake_parse_arguments(arg "" "" "EXCLUDE;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  file(GLOB_RECURSE protos CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.proto")
  # Editors leave hidden files behind.
  list(FILTER sources EXCLUDE REGEX "/\\.[^/]*$")
  foreach(file IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  quorate_proto(generated ${protos})

  set(target "quorate_${name}")
  if(sources OR generated)
    add_library(${target} STATIC ${sources} ${generated})
    set(scope PUBLIC)
  else()
    # A static library must have a source; this folder has none yet.
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(quorate::${name} ALIAS ${target})
  target_compile_features(${target} ${scope} cxx_std_20)
  # Installed, both stand below one folder, so that includes read the same: "actors/ids.hpp".
  target_include_directories(${target} ${scope}
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:include/quorate>")
  target_include_directories(${target} SYSTEM ${scope} "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>")
  target_link_libraries(${target} ${scope} ${arg_LINK})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT quorate ARCHIVE DESTINATION lib)
endfunction()
