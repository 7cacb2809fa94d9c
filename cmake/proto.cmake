# quorate_proto(<variable> <file.proto>...)
#
# Generates C++ from .proto files and puts the generated sources' names into <variable>. Imports and
# includes are written from the repository's root: actors/messages.proto gives "actors/messages.pb.h".
function(quorate_proto variable)
  set(out "${PROJECT_BINARY_DIR}/generated")
  set(generated "")
  foreach(proto IN LISTS ARGN)
    file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}" "${proto}")
    string(REGEX REPLACE "\\.proto$" "" stem "${name}")
    cmake_path(GET stem PARENT_PATH folder)
    file(MAKE_DIRECTORY "${out}/${folder}")
    add_custom_command(
      OUTPUT "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
      # The dependency file makes a change in an imported .proto count.
      COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}" "--cpp_out=${out}"
              "--dependency_out=${out}/${stem}.pb.d" "${name}"
      DEPENDS "${proto}" protobuf::protoc
      DEPFILE "${out}/${stem}.pb.d"
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
      COMMENT "Generating ${stem}.pb.h"
      VERBATIM)
    list(APPEND generated "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    # Not our code, not our warnings.
    set_source_files_properties("${out}/${stem}.pb.cc" PROPERTIES COMPILE_OPTIONS "-w" SKIP_LINTING ON)
  endforeach()
  set(${variable} "${generated}" PARENT_SCOPE)
endfunction()
