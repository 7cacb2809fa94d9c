// One node as a process: node_runtime.
#pragma once

#include "runtime/cluster_spec.hpp"
#include "runtime/command_line.hpp"

namespace quorate {

/// The names that this build knows, from its registries.
[[nodiscard]] known_names registered_names();

/// Reads the command line, runs the node until SIGTERM or SIGINT, and returns the exit code.
/// \pre begin_process (runtime/process_start.hpp) was called first.
[[nodiscard]] int run_process(int argc, const char* const* argv);

}  // namespace quorate
