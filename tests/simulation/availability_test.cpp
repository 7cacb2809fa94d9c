// No leader, so no failover: how long a cluster pauses when one of its nodes stops.
#include "protocols/registry.hpp"
#include "tests/harness/simulator.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 100;
constexpr time_point struck_at = 1s;

/// A calm local network, steady load on all nodes, and one fault.
scenario one_fault(std::uint64_t seed, fault_kind kind) {
  scenario s;
  s.seed = seed;
  s.members = 3;
  s.faults_for = 3s;
  s.clients.operations_max = 1'000'000;
  s.clients.window = 4;
  s.clients.think_max = 2ms;
  s.clients.timeout_min = s.clients.timeout_max = 2s;
  s.clients.reads = s.clients.local_reads = 0;
  s.faults.push_back({struck_at, 1500ms, kind, {node_id{static_cast<std::uint32_t>(seed % 3 + 1)}}, 0});
  return s;
}

/// The longest time between two acknowledgements by the other nodes, from just before the fault on.
duration longest_gap(const report& r, node_id struck) {
  std::vector<time_point> acknowledged{struck_at};
  for (const auto& op : r.operations.list())
    if (op.at != struck && op.fate() == fate::done && *op.returned > struck_at && *op.returned < 2400ms)
      acknowledged.push_back(*op.returned);
  std::sort(acknowledged.begin(), acknowledged.end());
  acknowledged.push_back(2400ms);
  duration longest{};
  for (std::size_t i = 1; i < acknowledged.size(); ++i)
    longest = std::max(longest, acknowledged[i] - acknowledged[i - 1]);
  return longest;
}

void measure(const protocol& p, fault_kind kind, duration allowed) {
  std::vector<duration> gaps;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto s = one_fault(seed, kind);
    options how;
    how.checks = checks_of(p.name, s.members);
    const auto r = run(s, p, how);
    REQUIRE_MESSAGE(r.ok, r.failure);
    gaps.push_back(longest_gap(r, s.faults[0].nodes[0]));
    CHECK_MESSAGE(gaps.back() <= allowed,
                  "seed " << seed << ": " << gaps.back().count() / 1'000'000 << " ms");
  }
  std::sort(gaps.begin(), gaps.end());
  std::printf("%s, %s: longest gap between acknowledgements: median %.1f ms, worst %.1f ms of %zu runs\n",
              p.name.c_str(), std::string{to_string(kind)}.c_str(),
              static_cast<double>(gaps[gaps.size() / 2].count()) / 1e6,
              static_cast<double>(gaps.back().count()) / 1e6, gaps.size());
}

}  // namespace

TEST_CASE("the death of any one node makes no gap in acknowledged writes longer than 100 ms") {
  for (const auto& p : all_protocols())
    if (p.leaderless)
      measure(p, fault_kind::crash, 100ms);
}

TEST_CASE("freezing any one node, or cutting it off, makes no gap longer than 250 ms") {
  for (const auto& p : all_protocols()) {
    if (!p.leaderless)
      continue;
    measure(p, fault_kind::freeze, 250ms);
    measure(p, fault_kind::cut_off, 250ms);
  }
}
