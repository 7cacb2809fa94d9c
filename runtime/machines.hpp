// The state machines that a cluster spec can name.
#pragma once

#include "actors/state_machine.hpp"

namespace quorate {

/// One built-in state machine.
struct machine_row {
  std::string_view name;
  std::string_view summary;  ///< one line for --help
  machine_factory make;
};

/// All built-in state machines. A new one is a file pair and a row here.
[[nodiscard]] std::span<const machine_row> machines();

/// The row of that name; null where there is none.
[[nodiscard]] const machine_row* find_machine(std::string_view name);

}  // namespace quorate
