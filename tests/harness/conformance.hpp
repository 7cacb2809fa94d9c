// What every protocol must pass, registered or a user's own.
#pragma once

#include "protocols/contract.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace quorate::testing {

struct conformance_options {
  std::vector<std::uint32_t> members{1, 3, 5, 7};
  std::uint64_t first = 1;             ///< the first seed
  std::uint64_t simulated_seeds = 50;  ///< per number of members, in the simulator
  std::uint64_t local_seeds = 5;       ///< per number of members, in a local cluster under CAF
};

/// Runs the protocol in the simulator with its checks, and in local clusters on CAF's deterministic
/// coordinator with faulty links and a cut-off member, and asks it to refuse an unknown option. Returns one
/// line per failure, with the seed that shows it; nothing where the protocol conforms. \pre the protocol's
/// messages are known to CAF.
[[nodiscard]] std::vector<std::string> conformance(const protocol& ordering,
                                                   const conformance_options& how = {});

}  // namespace quorate::testing
