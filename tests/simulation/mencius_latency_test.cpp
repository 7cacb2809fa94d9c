// How long mencius takes in a calm network, in link delays, and how long it pauses when a member stops.
#include "protocols/registry.hpp"
#include "tests/harness/simulator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;

constexpr duration delay = 1ms;  // of every link
constexpr duration sync_takes = delay / 2;
constexpr duration patience = 20ms;  // the default of revoke_after_ms; four rounds are less here
constexpr duration tick = 5ms;       // of the learner, which looks that often
// Everybody is up, idle members have yielded, and who came late is not waited for twice as long any more.
constexpr time_point from = 7s;
constexpr time_point until = from + 1200ms;

/// Commands come one by one, at each of these members, about once every `every`.
scenario calm(std::size_t members, const std::vector<node_id>& active, duration every, std::uint64_t seed,
              time_point end = until) {
  scenario s;
  s.seed = seed;
  s.members = members;
  s.faults_for = end;
  s.network.delay_min = s.network.delay_max = delay;
  s.sync_min = s.sync_max = sync_takes;
  s.clients.operations_max = 0;
  prng random{seed};
  const auto mean = static_cast<std::uint64_t>(every.count());
  for (const auto n : active)
    for (auto at = from - 500ms; at < end - 100ms; at += duration{random.between(mean / 2, mean * 3 / 2)})
      s.faults.push_back({at, duration{0}, fault_kind::flood, {n}, 1});
  return s;
}

std::vector<node_id> first_members(std::size_t count) {
  std::vector<node_id> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.emplace_back(i);
  return out;
}

void add_fault(scenario& s, time_point at, fault_kind kind, std::size_t member, duration lasts) {
  s.faults.push_back({at, lasts, kind, {node_id{static_cast<std::uint32_t>(member)}}, 0});
}

report play(scenario s) {
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
  const auto& mencius = *find_protocol("mencius");
  options how;
  how.checks = checks_of(mencius.name, s.members);
  auto r = run(s, mencius, how);
  REQUIRE_MESSAGE(r.ok, r.failure);
  return r;
}

struct latencies {
  double mean = 0;
  double p99 = 0;
};

/// From a client's request to its answer, of what was asked after `begin`, in link delays.
latencies measure(const report& r, time_point begin) {
  std::vector<double> list;
  for (const auto& op : r.operations.list())
    if (op.fate() == fate::done && op.invoked > begin && op.invoked < until - 200ms)
      list.push_back(static_cast<double>((*op.returned - op.invoked).count()) /
                     static_cast<double>(delay.count()));
  REQUIRE(list.size() > 20);
  std::sort(list.begin(), list.end());
  latencies result;
  for (const auto one : list)
    result.mean += one / static_cast<double>(list.size());
  result.p99 = list[list.size() * 99 / 100];
  return result;
}

/// The longest time between two answers, from just before `struck_at` on.
duration longest_gap(const report& r, node_id struck, time_point struck_at, time_point end) {
  std::vector<time_point> answers{struck_at};
  for (const auto& op : r.operations.list())
    if (op.at != struck && op.fate() == fate::done && *op.returned > struck_at && *op.returned < end)
      answers.push_back(*op.returned);
  std::sort(answers.begin(), answers.end());
  duration longest{};
  for (std::size_t i = 1; i < answers.size(); ++i)
    longest = std::max(longest, answers[i] - answers[i - 1]);
  return longest;
}

/// For how long the members but `struck` answered nothing, counting times longer than `pause`.
duration stood_still(const report& r, node_id struck, time_point begin, time_point end, duration pause) {
  std::vector<time_point> answers{begin, end};
  for (const auto& op : r.operations.list())
    if (op.at != struck && op.fate() == fate::done && *op.returned > begin && *op.returned < end)
      answers.push_back(*op.returned);
  std::sort(answers.begin(), answers.end());
  duration lost{};
  for (std::size_t i = 1; i < answers.size(); ++i)
    if (const auto gap = answers[i] - answers[i - 1]; gap > pause)
      lost += gap;
  return lost;
}

void judge(std::size_t members, const char* what, const latencies& l) {
  // Two links and two syncs that lie side by side, and what the members between them wait for one another.
  CHECK(l.mean < 3.3);
  CHECK(l.p99 < 4.0);
  std::printf("mencius, %zu members, %-28s mean %.2f p99 %.2f link delays\n", members, what, l.mean, l.p99);
}

}  // namespace

TEST_CASE("a command takes mencius one round trip, in which all syncs lie, and little more") {
  for (const std::size_t members : {3, 5}) {
    const auto all = first_members(members);
    const auto one = measure(play(calm(members, {node_id{1}}, 10 * delay, 1)), from);
    judge(members, "one active:", one);
    const auto low = measure(play(calm(members, all, 20 * delay, 2)), from);
    judge(members, "all active, low rate:", low);
    const auto high = measure(play(calm(members, all, delay / 2, 3)), from);
    judge(members, "all active, high rate:", high);
    auto s = calm(members, first_members(members - 1), 5 * delay, 4);
    add_fault(s, from - 400ms, fault_kind::crash, members, 10s);
    const auto dead = measure(play(s), from + 500ms);
    judge(members, "one dead, steady:", dead);
  }
}

TEST_CASE("mencius pauses once when a member dies or freezes, for its patience and nine link delays") {
  constexpr auto struck_at = from + 500ms;
  constexpr duration every = delay;
  for (const std::size_t members : {3, 5})
    for (const auto kind : {fault_kind::crash, fault_kind::freeze}) {
      duration worst{};
      for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        auto s = calm(members, first_members(members), every, seed);
        add_fault(s, struck_at, kind, members, 700ms);
        const auto gap =
            longest_gap(play(s), node_id{static_cast<std::uint32_t>(members)}, struck_at, struck_at + 600ms);
        worst = std::max(worst, gap);
        CHECK_MESSAGE(gap <= patience + tick + 9 * delay + 2 * every,
                      "seed " << seed << ": " << gap.count() / 1000 << " us");
      }
      std::printf("mencius, %zu members, %s: longest pause %.1f ms: patience and %.1f link delays\n", members,
                  std::string{to_string(kind)}.c_str(), static_cast<double>(worst.count()) / 1e6,
                  static_cast<double>((worst - patience).count()) / static_cast<double>(delay.count()));
    }
}

TEST_CASE("a member that stands still nine tenths of the time stops the others for a small part of it") {
  constexpr auto struck_at = from + 200ms;
  constexpr auto lasts = 4s;
  constexpr duration pause = 10 * delay;
  for (const std::size_t members : {3, 5})
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      auto s = calm(members, first_members(members), delay, seed, struck_at + lasts);
      for (auto at = struck_at; at < struck_at + lasts; at += 50ms)
        add_fault(s, at, fault_kind::freeze, members, 45ms);
      const auto lost = stood_still(play(s), node_id{static_cast<std::uint32_t>(members)}, struck_at,
                                    struck_at + lasts, pause);
      std::printf(
          "mencius, %zu members, one awake for 5 ms of 50: the others stood still for %.0f ms of %.0f\n",
          members, static_cast<double>(lost.count()) / 1e6,
          static_cast<double>(duration{lasts}.count()) / 1e6);
      // Until it hands its commands over, and whenever it tries to order them itself again.
      CHECK_MESSAGE(lost < lasts / 4, "seed " << seed);
    }
}
