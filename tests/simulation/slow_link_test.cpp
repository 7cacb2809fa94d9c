// How many bytes an append costs where links are slow: each body goes to each other member once.
#include "protocols/registry.hpp"
#include "tests/harness/simulator.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mbit = 1'000'000 / 8;

struct cost {
  double copies = 0;       ///< of each body, sent to another member
  std::uint64_t done = 0;  ///< appends
  duration took{};
  std::uint64_t bytes = 0;  ///< of their bodies
};

enum class load : std::uint8_t {
  everywhere,         ///< at every member, two appends at once
  at_one,             ///< many at once, at the first member
  while_one_is_down,  ///< the same, and the last member has to catch up afterwards
};

constexpr std::size_t value_bytes = 500'000;
constexpr std::uint64_t many = 16;
constexpr time_point flood_at = 1s;

cost measure(const protocol& ordering, std::uint64_t rate, std::size_t members, load where) {
  scenario s;
  s.seed = 1;
  s.members = members;
  s.faults_for = 100s;
  s.network.bytes_per_second = rate;
  s.network.delay_min = 100us;
  s.network.delay_max = 200us;
  s.sync_min = s.sync_max = 500us;
  s.clients.operations_max = where == load::everywhere ? 6 : 0;
  s.clients.reads = s.clients.local_reads = 0;
  s.clients.value_bytes_max = s.clients.flood_bytes = value_bytes;
  s.clients.think_max = 10ms;
  s.clients.timeout_min = s.clients.timeout_max = 60s;
  s.answer_within = 20s;
  if (where != load::everywhere)
    s.faults.push_back({flood_at, {}, fault_kind::flood, {node_id{1}}, many});
  if (where == load::while_one_is_down) {
    const node_id last{static_cast<std::uint32_t>(members)};
    s.faults.insert(s.faults.begin(), {flood_at - 100ms, 20s, fault_kind::crash, {last}, 0});
  }
  options how;
  how.checks = checks_of(ordering.name, members);
  const auto r = run(s, ordering, how);
  REQUIRE_MESSAGE(r.ok, r.failure);
  cost out;
  for (const auto& op : r.operations.list()) {
    REQUIRE(op.fate() == fate::done);
    // The last ones, of 16 bytes, only ask whether all is well.
    if (op.argument.size() < 1'000)
      continue;
    ++out.done;
    out.bytes += op.argument.size();
    out.took = std::max(out.took, *op.returned);
  }
  REQUIRE(out.done > 0);
  if (where != load::everywhere)
    out.took -= flood_at;
  out.copies = static_cast<double>(r.count.bytes) / static_cast<double>(out.bytes);
  return out;
}

void judge(const char* name, std::size_t members, load where,
           const std::vector<std::uint64_t>& rates = {1'000 * mbit, 100 * mbit, 10 * mbit}) {
  const auto& ordering = *find_protocol(name);
  for (const auto rate : rates) {
    const auto c = measure(ordering, rate, members, where);
    // What is sent to the one that is down counts too.
    const auto needed = static_cast<double>(where == load::while_one_is_down ? members : members - 1);
    // Each member sends the copies of its own appends over its own link.
    const auto senders = where == load::everywhere ? members : 1;
    const auto shortest = static_cast<double>(c.bytes) * needed / static_cast<double>(senders * rate);
    const auto took = std::chrono::duration<double>(c.took).count();
    std::printf(
        "%s, %zu members, appends at %zu, %llu Mbit/s: %.2f copies of each body are sent, %.0f are needed; "
        "%.2f s, %.2f s at the rate of the links\n",
        name, members, senders, static_cast<unsigned long long>(rate / mbit), c.copies, needed, took,
        shortest);
    CHECK(c.copies < 1.3 * needed);
    if (where == load::at_one)
      CHECK(took < shortest / 0.8 + 0.1);
  }
}

TEST_CASE("on slow links mencius sends each body to each other member once") {
  judge("mencius", 3, load::everywhere);
  judge("mencius", 5, load::everywhere);
}

TEST_CASE("who comes back over a slow link is sent what it has missed once") {
  judge("mencius", 3, load::while_one_is_down);
  // At 1 Gbit/s 1.34 times as much: its learner and sync ask for the same.
  judge("paxos", 3, load::while_one_is_down, {100 * mbit, 10 * mbit});
}

TEST_CASE("one busy member of mencius fills its slow link with bodies, each once") {
  judge("mencius", 3, load::at_one);
}

// Several proposers of paxos compete for the same slot, and who loses has sent its bodies for nothing.
TEST_CASE("one busy member of paxos fills its slow link with bodies, each once") {
  judge("paxos", 3, load::at_one);
}

}  // namespace
