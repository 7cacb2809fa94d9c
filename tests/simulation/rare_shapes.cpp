#include "tests/simulation/rare_shapes.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

duration milliseconds(std::uint64_t n) {
  return std::chrono::milliseconds(n);
}

node_id any_member(const scenario& s, prng& random) {
  return node_id{static_cast<std::uint32_t>(random.between(1, s.members))};
}

void strike(scenario& s, time_point at, fault_kind kind, node_id n, duration lasts, std::uint64_t amount = 0) {
  s.faults.push_back({at, lasts, kind, {n}, amount});
}

/// Under more load than the seed has of its own, for long enough.
void press(scenario& s, std::uint64_t operations, duration think_max, duration faults_for) {
  s.clients.operations_max = std::max(s.clients.operations_max, operations);
  s.clients.think_max = std::min(s.clients.think_max, think_max);
  s.faults_for = std::max(s.faults_for, faults_for);
}

void finish(scenario& s) {
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
  s.answer_within = 500ms + 50 * (s.network.delay_max + s.sync_max + s.local_max);
}

}  // namespace

void tiny_memory(scenario& s, std::string_view protocol) {
  prng random{s.seed * 7 + 3};
  const auto own = s.memory;
  s.memory = draw_limits(protocol, random);
  for (const auto& [name, value] : own.list())
    s.memory.set(name, value);
}

void snapshots_and_restarts(scenario& s) {
  prng random{s.seed * 7 + 1};
  s.log.entries_max = random.between(4, 12);
  s.timings.flush_every = 2s;
  s.timings.applied_every = 20ms;
  press(s, 120, 10ms, 2s);
  for (duration at = 300ms; at < s.faults_for; at += milliseconds(random.between(100, 400))) {
    const auto n = any_member(s, random);
    strike(s, at, fault_kind::cut_off, n, milliseconds(random.between(50, 300)));
    strike(s, at + milliseconds(random.between(200, 700)), fault_kind::crash, n, 20ms);
  }
  finish(s);
}

void snapshots_in_parts(scenario& s) {
  prng random{s.seed * 7 + 2};
  s.log.entries_max = random.between(1, 3);
  s.memory.set("sync.chunk_bytes_max", random.between(300, 3'000));
  s.timings.flush_every = 20ms;
  s.timings.applied_every = 20ms;
  s.timings.pull_again = 60ms;
  s.network.delay_max = std::max<duration>(s.network.delay_max, 8ms);
  s.network.loss = std::max(s.network.loss, 5.0);
  s.clients.value_bytes_max = std::max<std::uint64_t>(s.clients.value_bytes_max, 150);
  press(s, 100, 10ms, 2s);
  for (duration at = 300ms; at < s.faults_for; at += 150ms) {
    strike(s, at, fault_kind::cut_off, any_member(s, random), 120ms);
    for (duration turn = 120ms; turn < 180ms; turn += 20ms)
      strike(s, at + turn, fault_kind::crash, any_member(s, random), 1ms);
  }
  finish(s);
}

void overtaken_learners(scenario& s) {
  prng random{s.seed * 7 + 5};
  s.log.entries_max = random.chance(50) ? 2 : 100;
  s.memory.set("sync.chunk_bytes_max", random.between(60, 400));
  s.memory.set("replica.far_behind", random.between(1, 4));
  s.memory.set("learner.past_max", random.between(0, 4));
  s.memory.set("learner.behind_max", random.between(2, 6));
  s.timings.flush_every = 20ms;
  s.timings.applied_every = 10ms;
  s.timings.pull_again = 50ms;
  s.local_max = milliseconds(random.between(1, 8));
  s.clients.reads = 50;
  s.clients.window = std::max<std::uint64_t>(s.clients.window, 8);
  press(s, 150, 3ms, 2s);
  for (duration at = 200ms; at < s.faults_for; at += 100ms)
    strike(s, at, fault_kind::cut_off, any_member(s, random), milliseconds(random.between(20, 70)));
  finish(s);
}

void lost_receipts(scenario& s) {
  prng random{s.seed * 7 + 4};
  s.balancer = "local";
  s.options = {{"window", random.chance(50) ? "1" : "2"}};
  s.memory.set("blocks.yield", 16);
  s.memory.set("blocks.reach", 64);
  s.memory.set("blocks.ceiling", random.between(24, 48));
  s.clients.window = 8;
  s.clients.burst = 1;
  s.clients.reads = s.clients.local_reads = 0;
  s.clients.timeout_min = 300ms;
  s.clients.timeout_max = 1500ms;
  press(s, 250, 4ms, 4s);
  const auto slow = any_member(s, random);
  // So slow that it hands over what it is asked for.
  strike(s, 200ms, fault_kind::slow_link, slow, s.faults_for, random.between(3, 20));
  strike(s, 200ms, fault_kind::slow_disk, slow, s.faults_for, random.between(5, 120));
  for (duration at = 500ms; at < s.faults_for; at += milliseconds(random.between(300, 1'000)))
    strike(s, at,
           random.chance(70)   ? fault_kind::deaf
           : random.chance(50) ? fault_kind::cut_off
                               : fault_kind::freeze,
           slow, milliseconds(random.between(50, 800)));
  finish(s);
}

void late_hand_offs(scenario& s) {
  lost_receipts(s);
  prng random{s.seed * 7 + 6};
  s.network.reorder = true;
  s.network.stray = static_cast<double>(random.between(5, 25));
  s.network.stray_max = milliseconds(random.between(500, 2'000));
  s.clients.timeout_max = 800ms;
}

void all_frozen_once(scenario& s) {
  for (std::uint32_t n = 1; n <= s.members; ++n)
    strike(s, 250ms, fault_kind::freeze, node_id{n}, 5ms);
  finish(s);
}

}  // namespace quorate::testing
