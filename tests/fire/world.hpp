// The one private world of this program.
#pragma once

#include "tests/harness/process/private_world.hpp"

namespace quorate::testing {

/// Enters it with the first call. Empty, or why it cannot be.
[[nodiscard]] inline const std::string& why_no_own_world() {
  static const auto why = enter_private_world();
  return why;
}

}  // namespace quorate::testing
