// Scenarios in which rare paths are taken.
#pragma once

#include "tests/harness/scenario.hpp"

#include <algorithm>

namespace quorate::testing {

inline void in_order(scenario& s) {
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
}

/// Every role has hardly any memory.
template <const char* Protocol>
void tiny_memory(scenario& s) {
  prng random{s.seed * 7 + 3};
  s.memory = draw_limits(Protocol, random);
}
inline constexpr char mencius_name[] = "mencius";
inline constexpr char paxos_name[] = "paxos";

/// Members go down for a moment, one after the other, and the logs keep so little that they need snapshots.
/// Their states are flushed seldom: what they have said to be durable since then stands in their logs only.
inline void snapshots_and_restarts(scenario& s) {
  using namespace std::chrono_literals;
  prng random{s.seed * 7 + 1};
  s.log.entries_max = random.between(4, 12);
  s.timings.flush_every = 2s;
  s.timings.applied_every = 20ms;
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 120);
  s.clients.think_max = std::min<duration>(s.clients.think_max, 10ms);
  s.faults_for = std::max<duration>(s.faults_for, 2s);
  const auto members = static_cast<std::uint32_t>(s.members);
  for (auto at = 300ms; at < s.faults_for; at += std::chrono::milliseconds(random.between(100, 400))) {
    const node_id n{static_cast<std::uint32_t>(random.between(1, members))};
    s.faults.push_back({at, std::chrono::milliseconds(random.between(50, 300)), fault_kind::cut_off, {n}, 0});
    s.faults.push_back({at + std::chrono::milliseconds(random.between(200, 700)), 20ms, fault_kind::crash, {n}, 0});
  }
  in_order(s);
}

/// Snapshots come in a few parts each, over slow links, from members that are often started again meanwhile.
inline void snapshots_in_parts(scenario& s) {
  using namespace std::chrono_literals;
  prng random{s.seed * 7 + 2};
  s.log.entries_max = random.between(1, 3);
  s.memory.set("sync.chunk_bytes_max", random.between(300, 3'000));
  s.timings.flush_every = 20ms;
  s.timings.applied_every = 20ms;
  s.timings.pull_again = 60ms;
  s.network.delay_max = std::max<duration>(s.network.delay_max, 8ms);
  s.network.loss = std::max(s.network.loss, 5.0);
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 100);
  s.clients.think_max = std::min<duration>(s.clients.think_max, 10ms);
  s.clients.value_bytes_max = std::max<std::uint64_t>(s.clients.value_bytes_max, 150);
  s.faults_for = std::max<duration>(s.faults_for, 2s);
  const auto members = static_cast<std::uint32_t>(s.members);
  for (auto at = 300ms; at < s.faults_for; at += 150ms) {
    const node_id n{static_cast<std::uint32_t>(random.between(1, members))};
    s.faults.push_back({at, 120ms, fault_kind::cut_off, {n}, 0});
    for (auto turn = 0ms; turn < 60ms; turn += 20ms)
      s.faults.push_back({at + 120ms + turn, 1ms, fault_kind::crash,
                          {node_id{static_cast<std::uint32_t>(random.between(1, members))}}, 0});
  }
  in_order(s);
}

/// A slow node loses its connections over and over: sync and protocol bring it up to date at the same time,
/// and what its learner says waits for long before its replica.
inline void overtaken_learners(scenario& s) {
  using namespace std::chrono_literals;
  s.log.entries_max = 2;
  s.timings.flush_every = 20ms;
  s.timings.pull_again = 50ms;
  s.local_max = 3ms;
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 120);
  s.clients.think_max = std::min<duration>(s.clients.think_max, 5ms);
  s.clients.reads = 50;
  s.faults_for = std::max<duration>(s.faults_for, 2s);
  for (auto at = 200ms; at < s.faults_for; at += 150ms)
    s.faults.push_back({at, 70ms, fault_kind::cut_off, {node_id{1}}, 0});
  in_order(s);
}

/// One member's disk is so slow that the others order its commands, and then it hears nothing for a while:
/// neither that they did, nor what becomes of its own. Its slots are used up all the time.
inline void lost_receipts(scenario& s) {
  using namespace std::chrono_literals;
  prng random{s.seed * 7 + 4};
  s.balancer = "local";
  s.options = {{"window", random.chance(50) ? "1" : "2"}};
  s.memory.set("blocks.yield", 16);
  s.memory.set("blocks.reach", 64);
  s.memory.set("blocks.ceiling", 40);
  s.clients.operations_max = 150;
  s.clients.window = 8;
  s.clients.burst = 1;
  s.clients.think_max = 4ms;
  s.clients.reads = s.clients.local_reads = 0;
  s.clients.timeout_min = 300ms;
  s.clients.timeout_max = 1500ms;
  s.faults_for = 4s;
  const node_id slow{static_cast<std::uint32_t>(random.between(1, s.members))};
  s.faults.push_back({200ms, s.faults_for, fault_kind::slow_disk, {slow}, random.between(5, 60)});
  for (auto at = 500ms; at < s.faults_for; at += std::chrono::milliseconds(random.between(300, 1200)))
    s.faults.push_back({at, std::chrono::milliseconds(random.between(50, 800)),
                        random.chance(70)   ? fault_kind::deaf
                        : random.chance(50) ? fault_kind::cut_off
                                            : fault_kind::freeze,
                        {slow},
                        0});
  in_order(s);
}

/// Every node stands still for a moment, early on.
inline void all_frozen_once(scenario& s) {
  using namespace std::chrono_literals;
  for (std::uint32_t n = 1; n <= s.members; ++n)
    s.faults.push_back({250ms, 5ms, fault_kind::freeze, {node_id{n}}, 0});
  in_order(s);
}

}  // namespace quorate::testing
