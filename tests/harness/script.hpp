// A scenario as text: what a failure leaves behind, and what is run for ever.
#pragma once

#include "tests/harness/scenario.hpp"

#include <variant>

namespace quorate::testing {

/// A scenario and the protocol that it is for.
struct script {
  std::string protocol;
  scenario plan;
};

/// Line by line: "quorate-scenario 1", then "key value" for everything that differs from a scenario's
/// defaults, "option <name> <value>" for each option of the protocol, and "fault <kind> <nodes> at <time> for
/// <time> [amount <n>]" for each fault. '#' begins a comment. `parse_script` gives back the very same
/// scenario.
[[nodiscard]] std::string to_text(const script& s);

/// \returns the script, or what is wrong with it: "line 3: ..."
[[nodiscard]] std::variant<script, std::string> parse_script(std::string_view text);

/// Reads a file. \returns the script, or what is wrong, with the file's name
[[nodiscard]] std::variant<script, std::string> read_script(const std::string& file);

}  // namespace quorate::testing
