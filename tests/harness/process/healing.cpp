#include "tests/harness/process/healing.hpp"

#include <algorithm>
#include <thread>

namespace quorate::testing {

final_logs settled_logs(process_cluster& cluster, const std::vector<std::size_t>& nodes,
                        std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  final_logs logs;
  auto late = false;
  while (!late) {
    // One more round after the deadline: what it finds is returned as it is.
    late = std::chrono::steady_clock::now() > deadline;
    std::vector<std::uint64_t> ends;
    for (const auto n : nodes) {
      auto client = cluster.client(n);
      const auto reply = client.get("/log?limit=1");
      const auto page = reply && reply->status == 200 ? parse_log_page(reply->body) : std::nullopt;
      const auto own = local_end(client);
      if (page && own) {
        ends.push_back(page->end);
        ends.push_back(*own);
      }
    }
    const auto settled = ends.size() == 2 * nodes.size() &&
                         std::ranges::all_of(ends, [&](auto end) { return end == ends.front(); });
    logs.clear();
    if (settled || late)
      for (const auto n : nodes) {
        auto client = cluster.client(n);
        if (auto log = read_log(client, false))
          logs[n] = std::move(*log);
      }
    // What was under way when the last client went may still have come in between.
    if (settled && logs.size() == nodes.size() &&
        std::ranges::all_of(logs, [&](const auto& log) { return log.second.size() == ends.front(); }))
      return logs;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return logs;
}

std::string heal_and_check(process_cluster& cluster, const append_history& history) {
  std::vector<std::size_t> nodes;
  for (std::size_t n = 1; n <= cluster.size(); ++n) {
    cluster.thaw(n);
    nodes.push_back(n);
  }
  if (!cluster.start())
    return "the cluster does not heal\n";
  const auto logs = settled_logs(cluster, nodes);
  auto wrong = violations(history, logs);
  if (logs.size() != nodes.size())
    wrong += "only " + std::to_string(logs.size()) + " of the nodes answer with their log\n";
  return wrong + cluster.trouble();
}

}  // namespace quorate::testing
