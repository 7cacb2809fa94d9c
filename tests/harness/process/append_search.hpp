// A second opinion on the histories of real processes: the simulator's search for an order.
#pragma once

#include "tests/harness/process/append_history.hpp"

namespace quorate::testing {

/// What clients did between two moments at which none of them had a request under way.
struct append_round {
  std::uint64_t begins_at = 0;  ///< how long the log was then, from a linearizable read
  append_history seen;
};

/// Searches an order of the operations of each round that explains every answer, and leads to `log`, which
/// was read after all of them. A search is exponential in principle, so a history of minutes has to come in
/// rounds. An append of unknown outcome counts to the round in which its place in `log` was written, with no
/// answer to be in time for; one that does not stand there never took effect. Empty, or what is wrong, one
/// line each.
[[nodiscard]] std::string search_order(const std::vector<append_round>& rounds,
                                       const std::vector<log_entry>& log);

}  // namespace quorate::testing
