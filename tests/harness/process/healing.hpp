// The end of a test with faults: all nodes up, all logs read.
#pragma once

#include "tests/harness/process/append_history.hpp"
#include "tests/harness/process/process_cluster.hpp"

namespace quorate::testing {

/// Waits until the own logs of these nodes are as long as a linearizable read through each of them says, and
/// reads them. Empty where that does not come about in time; where logs stay different, they are returned as
/// they are.
[[nodiscard]] final_logs settled_logs(process_cluster& cluster, const std::vector<std::size_t>& nodes,
                                      std::chrono::milliseconds within = std::chrono::milliseconds{30'000});

/// Starts and thaws all nodes, waits until all are healthy and their logs settled, and checks everything. All
/// that is wrong, one line each.
[[nodiscard]] std::string heal_and_check(process_cluster& cluster, const append_history& history);

}  // namespace quorate::testing
