// The command line of node_runtime.
#pragma once

#include "actors/errors.hpp"
#include "runtime/cluster_spec.hpp"
#include "runtime/logging.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace quorate {

/// Equal to the version in CMakeLists.txt.
inline constexpr std::string_view version = "0.1.0";

/// Exit codes of node_runtime.
enum class exit_code : int {
  stopped = 0,          ///< it was asked to stop, and did
  could_not_start = 1,  ///< a port or directory in use, a disk that fails
  bad_config = 2,       ///< the command line or the spec is wrong
};

struct options {
  std::string config_file;
  std::string node;
  std::string data_dir;
  log_level level = log_level::info;
};

/// Asked for: to be printed on stdout, and nothing else to be done.
struct help_text {
  std::string text;
};

/// Reads the arguments behind the program's name. `--x=y` and `--x y` are the same; `--help` and `--version`
/// go before any mistake. Fails with bad_config and one line that names the option.
[[nodiscard]] std::variant<options, help_text, failure>
parse_command_line(std::span<const char* const> arguments);

/// Nothing, or one line that lists the spec's nodes, if none is called `node`.
status check_node(const cluster_spec& spec, std::string_view node);

}  // namespace quorate
