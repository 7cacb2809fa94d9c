// The worst that can happen to an owner and its lane, at every moment of a suggestion.
#include "actors/role_host.hpp"
#include "protocols/mencius/acceptor.hpp"
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/proposer.hpp"
#include "protocols/mencius/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr node_id n3{3};
constexpr time_point struck_at = 600ms;  // all are up, and have yielded

/// A calm network of links that take a millisecond, and disks that take half of one; nobody asks for
/// anything.
scenario quiet(std::size_t members, std::uint64_t seed) {
  scenario s;
  s.seed = seed;
  s.members = members;
  s.faults_for = 1500ms;
  s.network.delay_min = s.network.delay_max = 1ms;
  s.sync_min = s.sync_max = 500us;
  s.clients.operations_max = 0;
  s.settle = 500ms;
  return s;
}

/// Asks for writes, in one message.
void ask(scenario& s, time_point at, node_id n, std::uint64_t count) {
  s.faults.push_back({at, duration{0}, fault_kind::flood, {n}, count});
}
void strike(scenario& s, time_point at, fault_kind kind, std::vector<node_id> nodes, duration lasts) {
  s.faults.push_back({at, lasts, kind, std::move(nodes), 0});
}

void play(scenario s, const protocol& ordering = *find_protocol("mencius")) {
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
  options how;
  how.checks = checks_of("mencius", s.members);
  const auto r = run(s, ordering, how);
  CHECK_MESSAGE(r.ok, r.failure << "\n" << text(s));
}

/// Blocks of slots so small that they are used up all the time.
protocol with_small_blocks() {
  auto p = *find_protocol("mencius");
  p.make_roles = [](const protocol_context& context) {
    const mencius::lane_blocks blocks{.yield = 16, .reach = 64, .ceiling = 40};
    const majority quorum{context.members.size()};
    std::vector<std::unique_ptr<any_role>> out;
    out.push_back(std::make_unique<role_host<mencius::proposer>>(context, quorum, blocks));
    out.push_back(std::make_unique<role_host<mencius::acceptor>>(context));
    out.push_back(std::make_unique<role_host<mencius::learner>>(context, quorum, blocks));
    return out;
  };
  return p;
}

/// A steady load on these members, around the moment that counts.
void load(scenario& s, const std::vector<node_id>& nodes, duration every) {
  for (auto at = struck_at - 50ms; at < struck_at + 200ms; at += every)
    for (const auto n : nodes)
      ask(s, at, n, 1);
}

}  // namespace

TEST_CASE("an owner dies or freezes at any moment of its suggestion, and the others go on") {
  for (const auto kind : {fault_kind::crash, fault_kind::freeze, fault_kind::mute})
    for (auto after = 0us; after < 5ms; after += 125us) {
      auto s = quiet(3, 1);
      ask(s, struck_at, n1, 1);
      ask(s, struck_at + 1ms, n2, 1);
      strike(s, struck_at + after, kind, {n1}, 400ms);
      ask(s, struck_at + 10ms, n3, 1);
      play(s);
    }
}

TEST_CASE("a revoker dies at any moment of its revocation, and the next one revokes that") {
  for (auto after = 18ms; after < 40ms; after += 1ms) {
    auto s = quiet(5, 2);
    load(s, {n2, n3}, 5ms);
    strike(s, struck_at, fault_kind::crash, {node_id{5}}, 600ms);
    // The first one behind it in the ring.
    strike(s, struck_at + after, after % 2ms == 0ms ? fault_kind::crash : fault_kind::freeze, {n1}, 300ms);
    play(s);
  }
}

TEST_CASE("revokers that cannot hear each other duel, and come to an end") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto s = quiet(5, seed);
    s.options = {{"revoke_after_ms", "5"}};
    s.network.uneven = true;
    s.network.loss = 10;
    load(s, {n1, n2, n3, node_id{4}}, 4ms);
    strike(s, struck_at, fault_kind::freeze, {node_id{5}}, 300ms);
    strike(s, struck_at + 2ms, fault_kind::deaf, {n1}, 40ms);
    strike(s, struck_at + 40ms, fault_kind::deaf, {n2}, 40ms);
    play(s);
  }
}

TEST_CASE("an owner is revoked while its window is full, and comes back with its commands") {
  for (const auto* window : {"1", "8", "64"})
    for (const auto kind : {fault_kind::freeze, fault_kind::cut_off, fault_kind::slow_disk}) {
      auto s = quiet(3, 3);
      s.options = {{"window", window}};
      for (auto at = struck_at - 3ms; at < struck_at + 3ms; at += 50us)
        ask(s, at, n1, 2);
      load(s, {n2}, 5ms);
      strike(s, struck_at, kind, {n1}, 250ms);
      s.faults.back().amount = 100;
      play(s);
    }
}

TEST_CASE("a freeze that outlasts every timer ends, and what was held up is decided one way") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto s = quiet(3, seed);
    s.faults_for = 8s;
    load(s, {n1, n2, n3}, 3ms);
    strike(s, struck_at, fault_kind::freeze, {n1}, 6s);
    strike(s, struck_at + 2s, fault_kind::freeze, {n2}, 2s);
    play(s);
  }
}

TEST_CASE(
    "all members restart at once, at any moment of a suggestion, with and without what was not synced") {
  for (auto after = 0us; after < 5ms; after += 250us)
    for (const std::uint64_t survives : {0, 50, 100}) {
      auto s = quiet(3, 4);
      ask(s, struck_at, n1, 3);
      ask(s, struck_at + 500us, n2, 1);
      strike(s, struck_at + after, fault_kind::blackout, {n1, n2, n3}, 50ms);
      s.faults.back().amount = survives;
      ask(s, struck_at + 300ms, n3, 1);
      play(s);
    }
}

TEST_CASE("a member yields and returns at any moment") {
  for (auto pause = 4ms + 0us; pause < 9ms; pause += 100us) {
    auto s = quiet(3, 5);
    for (int i = 0; i < 10; ++i) {
      ask(s, struck_at + i * pause, n1, 1);
      ask(s, struck_at + i * pause + pause / 3, n2, 1);
    }
    play(s);
  }
}

TEST_CASE("ceilings are crossed all the time, under every fault") {
  exploration what;
  what.seeds = sanitized ? 50 : 400;
  const auto small = with_small_blocks();
  const auto found = explore(what, small, [](std::size_t members) -> options {
    options how;
    how.checks = checks_of("mencius", members);
    return how;
  });
  std::printf("mencius, small blocks: %s\n", text(found).c_str());
  for (const auto& f : found.failures)
    FAIL_CHECK("seed " << f.seed << ": " << f.failure);
}

TEST_CASE("a member that misses more than the logs keep is served by sync") {
  for (const auto kind : {fault_kind::crash, fault_kind::cut_off}) {
    auto s = quiet(3, 6);
    s.log.entries_max = 2;
    s.timings.flush_every = 20ms;
    s.timings.applied_every = 20ms;
    strike(s, struck_at, kind, {n3}, 600ms);
    for (auto at = struck_at; at < struck_at + 500ms; at += 2ms)
      ask(s, at, at % 4ms == 0ms ? n1 : n2, 1);
    play(s);
  }
}
