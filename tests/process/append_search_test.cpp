// The search for an order must see what is wrong.

#include "tests/harness/process/append_search.hpp"

#include <doctest/doctest.h>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

append_record append(std::string value, std::uint64_t index, std::chrono::nanoseconds from,
                     std::chrono::nanoseconds to, append_fate fate = append_fate::acknowledged) {
  return {1, "k", std::move(value), from, to, fate, index};
}

read_record read(std::uint64_t from, std::vector<log_entry> entries, std::uint64_t end,
                 std::chrono::nanoseconds invoked, std::chrono::nanoseconds returned) {
  const auto next = from + entries.size();
  return {1, invoked, returned, from, {std::move(entries), next, end}};
}

const log_entry a{0, "k", "a"};
const log_entry b{1, "k", "b"};
const log_entry c{2, "k", "c"};

/// Two rounds. `b` had no answer in the first one, and takes effect in the second.
std::vector<append_round> good() {
  append_history first;
  first.appends = {append("a", 0, 1ns, 5ns), append("b", 0, 2ns, 9ns, append_fate::unknown),
                   append("lost", 0, 2ns, 9ns, append_fate::unknown)};
  first.reads = {read(0, {a}, 1, 3ns, 8ns)};
  append_history second;
  second.appends = {append("c", 2, 20ns, 30ns)};
  second.reads = {read(0, {a, b}, 2, 21ns, 25ns), read(2, {c}, 3, 31ns, 32ns)};
  return {{0, first}, {1, second}};
}

TEST_CASE("a good history in rounds has an order") {
  CHECK(search_order(good(), {a, b, c}) == "");
  CHECK(search_order({}, {}) == "");
}

TEST_CASE("a history without an order is found out") {
  const auto wrong = [](auto change) {
    auto rounds = good();
    change(rounds);
    return search_order(rounds, {a, b, c}) != "";
  };
  CHECK_FALSE(wrong([](auto&) {}));
  // A stale read, in the round and from the round before.
  CHECK(wrong([](auto& r) { r[1].seen.reads[1] = read(0, {a, b}, 2, 31ns, 32ns); }));
  CHECK(wrong([](auto& r) { r[1].seen.reads[0] = read(0, {}, 0, 21ns, 25ns); }));
  // Two at one place, and one at a place that was acknowledged before.
  CHECK(wrong([](auto& r) { r[1].seen.appends.push_back(append("d", 2, 20ns, 30ns)); }));
  CHECK(wrong([](auto& r) { r[1].seen.appends[0].index = 0; }));
  // What a read shows does not stand there.
  CHECK(wrong([](auto& r) { r[1].seen.reads[1].page.entries[0].value = "x"; }));
  // Nobody has written what the log has.
  CHECK(wrong([](auto& r) { r[1].seen.appends.clear(); }));
  // An append that began after a read which shows it.
  CHECK(wrong([](auto& r) { r[1].seen.appends[0].invoked = 33ns, r[1].seen.appends[0].returned = 34ns; }));
  CHECK(wrong([](auto& r) { r[1].begins_at = 4; }));
}

}  // namespace
