// What every protocol must pass, registered or a user's own.
#pragma once

#include "protocols/contract.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace quorate::testing {

struct conformance_options {
  std::vector<std::uint32_t> members{1, 3, 5, 7};
  std::uint64_t first = 1;             ///< the first seed
  std::uint64_t simulated_seeds = 50;  ///< per number of members, in the simulator
  std::uint64_t local_seeds = 1000;  ///< with 3 and with 5 members, as actors under CAF; a tenth with others
  std::function<void(const std::string& line)> tell;  ///< gets a line per driver and number of members
};

/// Runs the protocol in the simulator with its checks (tests/harness/simulator.hpp), and as actors on CAF's
/// deterministic coordinator (tests/harness/local_run.hpp), and asks it to refuse an unknown option. Returns
/// one line per failure, with the seed that shows it; nothing where the protocol conforms. \pre the
/// protocol's messages are known to CAF.
[[nodiscard]] std::vector<std::string> conformance(const protocol& ordering,
                                                   const conformance_options& how = {});

}  // namespace quorate::testing
