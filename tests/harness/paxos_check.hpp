// What only somebody who knows the messages of paxos can see.
#pragma once

#include "tests/harness/check.hpp"
#include "tests/harness/scenario.hpp"

#include <map>
#include <string>

namespace quorate::testing {

/// Acceptors keep what they said, over all their starts, as long as the disk is the same: after a promise no
/// vote below it that the promise did not tell of, and no promise that hides an earlier vote. In each slot at
/// most one value is voted for at one ballot, and at most one is chosen.
[[nodiscard]] std::vector<check_factory> paxos_checks(std::size_t members);

[[nodiscard]] std::map<std::string, std::string> draw_paxos_options(prng& random);
void draw_paxos_limits(role_limits& out, prng& random);

}  // namespace quorate::testing
