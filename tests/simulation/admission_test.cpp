// What is refused before it has a name: where no majority is in sight, and where too few disks have room.
#include "protocols/quorum.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/client.hpp"
#include "tests/harness/simulator.hpp"

#include <doctest/doctest.h>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

constexpr time_point struck_at = 2s;
constexpr duration struck_for = 3s;

/// A calm network, and steady load on all nodes.
scenario calm(std::uint64_t seed, std::size_t members) {
  scenario s;
  s.seed = seed;
  s.members = members;
  s.faults_for = 7s;
  s.clients.operations_max = 1'000'000;
  s.clients.think_max = 20ms;
  s.clients.timeout_min = s.clients.timeout_max = 1s;
  s.clients.reads = 20;
  s.clients.local_reads = 10;
  return s;
}

std::vector<node_id> first_nodes(std::size_t count) {
  std::vector<node_id> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.emplace_back(i);
  return out;
}

report run_checked(const scenario& s, const protocol& p) {
  options how;
  how.checks = checks_of(p.name, s.members);
  auto r = run(s, p, how);
  REQUIRE_MESSAGE(r.ok, r.failure);
  return r;
}

bool between(time_point at, time_point from, time_point to) {
  return at >= from && at < to;
}

}  // namespace

TEST_CASE("writes are refused with disk_full exactly while fewer than a majority has room, and none is in doubt") {
  for (const auto& p : all_protocols())
    for (std::size_t members = 1; members <= 5; ++members)
      for (std::size_t full = 0; full <= members; ++full) {
        auto s = calm(members * 10 + full, members);
        if (full > 0)
          s.faults.push_back({struck_at, struck_for, fault_kind::low_disk, first_nodes(full), 0});
        const auto r = run_checked(s, p);
        const auto enough = majority{members}.reached(members - full);
        std::size_t refused = 0;
        for (const auto& op : r.operations.list()) {
          if (op.kind != request_kind::write || !op.returned)
            continue;
          CAPTURE(p.name);
          CAPTURE(members);
          CAPTURE(full);
          CAPTURE(op.number);
          CHECK(op.code != errc::unknown_outcome);
          refused += op.code == errc::disk_full ? 1 : 0;
          // Heartbeats tell of it within an interval or two.
          if (between(op.invoked, struck_at + 300ms, struck_at + struck_for))
            CHECK(op.code == (enough ? errc::ok : errc::disk_full));
          if (between(op.invoked, 1s, struck_at) || between(op.invoked, struck_at + struck_for + 300ms, 6s))
            CHECK(op.code == errc::ok);
        }
        CHECK((refused > 20) == !enough);
      }
}

TEST_CASE("without a majority in sight a request is refused at once, with one it is served") {
  constexpr duration split_for = 6s;
  for (const auto& p : all_protocols()) {
    // Two of five are alone together; then one of them hears only the other.
    auto s = calm(1, 5);
    s.faults_for = struck_at + split_for + 2s;
    s.faults.push_back({struck_at, split_for, fault_kind::split, first_nodes(2), 0});
    const auto r = run_checked(s, p);
    std::size_t at_once = 0;
    std::size_t waited = 0;
    for (const auto& op : r.operations.list()) {
      if (!op.returned || op.kind == request_kind::read_local)
        continue;
      CAPTURE(p.name);
      CAPTURE(op.number);
      const auto outside = op.at.value > 2;
      // Suspicion, and as long again.
      if (between(op.invoked, struck_at + 2300ms, struck_at + split_for - 1s)) {
        if (outside) {
          CHECK(op.code == errc::ok);
        } else {
          const auto soon = *op.returned - op.invoked < 100ms;
          if (client::waits_without_majority(op.number)) {
            // Until its deadline; what its node has suggested by then is in doubt.
            CHECK((op.code == errc::no_quorum || op.code == errc::unknown_outcome));
            CHECK_FALSE(soon);
            ++waited;
          } else {
            CHECK(op.code == errc::no_quorum);
            CHECK(soon);
            ++at_once;
          }
        }
      }
    }
    CHECK(at_once > 0);
    CHECK(waited > 0);
  }
}
