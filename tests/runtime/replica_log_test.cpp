#include "runtime/replica_log.hpp"

#include "actors/prng.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

replica_log log_of(std::uint64_t first, std::uint64_t count, log_limits limits, std::size_t bytes = 10) {
  replica_log log{limits};
  log.restart(log_index{first});
  for (std::uint64_t i = 0; i < count; ++i)
    log.append({epoch_id{0}, cursor{first + i}, bytes});
  return log;
}

std::map<node_id, log_index> durable(const std::vector<std::uint64_t>& indices) {
  std::map<node_id, log_index> out;
  for (const auto index : indices)
    out[node_id{static_cast<std::uint32_t>(out.size() + 1)}] = log_index{index};
  return out;
}

}  // namespace

TEST_CASE("a log knows its range, its entries and its bytes") {
  auto log = log_of(5, 4, {});
  CHECK(log.first() == log_index{5});
  CHECK(log.next() == log_index{9});
  CHECK(log.at(log_index{7}).at == cursor{7});
  CHECK(log.bytes() == 40);
  log.drop_below(log_index{7});
  CHECK(log.first() == log_index{7});
  CHECK(log.at(log_index{7}).at == cursor{7});
  CHECK(log.bytes() == 20);
  log.drop_below(log_index{3});
  CHECK(log.first() == log_index{7});
  log.drop_below(log_index{100});
  CHECK(log.first() == log_index{9});
  CHECK(log.next() == log_index{9});
  CHECK(log.bytes() == 0);
  log.restart(log_index{50});
  CHECK(log.next() == log_index{50});
}

TEST_CASE("the protocol may forget what a majority has durably, and the others have or get as a snapshot") {
  struct row {
    std::string_view what;
    std::vector<std::uint64_t> durable;
    std::uint64_t entries_max;
    std::uint64_t forgettable;
  };
  // A log of [0, 100).
  const row rows[] = {
      {"all have all", {100, 100, 100}, 1'000, 100},
      {"one lags within the log", {100, 100, 40}, 1'000, 40},
      {"one lags further than the log may reach", {100, 100, 40}, 30, 70},
      {"one is dead from the start", {100, 100, 0}, 1'000, 0},
      {"one is dead and the log is full", {100, 100, 0}, 30, 70},
      {"a majority lags: never ahead of it", {100, 40, 40}, 30, 40},
      {"a majority has less than the others", {100, 60, 50}, 30, 60},
      {"a minority of five has all", {100, 100, 20, 20, 20}, 30, 20},
      {"three of five have it", {100, 100, 90, 20, 20}, 30, 70},
      {"one member alone", {100}, 30, 100},
      {"two members: a majority is both", {100, 30}, 30, 30},
      {"four members: three are needed", {100, 90, 20, 0}, 30, 20},
      {"nobody has said anything", {0, 0, 0}, 30, 0},
      {"no members", {}, 30, 0},
  };
  for (const auto& r : rows) {
    const auto log = log_of(0, 100, {r.entries_max, 1'000'000});
    CHECK_MESSAGE(log.forgettable(durable(r.durable)).value == r.forgettable, r.what);
  }
}

TEST_CASE("the log is cut behind a flushed state only, with a reserve, further where a limit asks for it") {
  struct row {
    std::string_view what;
    std::uint64_t flushed;
    std::vector<std::uint64_t> durable;
    log_limits limits;
    std::uint64_t droppable;
  };
  // A log of [0, 100) with 10 bytes each; a quarter of entries_max is kept for those who restart.
  const row rows[] = {
      {"a reserve for all of it", 100, {100, 100, 100}, {1'000, 1'000'000}, 0},
      {"all have it: down to the reserve", 100, {100, 100, 100}, {120, 1'000'000}, 70},
      {"one lags", 100, {100, 100, 40}, {120, 1'000'000}, 40},
      {"one is dead", 100, {100, 100, 0}, {120, 1'000'000}, 0},
      {"one is dead, too many entries", 100, {100, 100, 0}, {60, 1'000'000}, 40},
      {"one is dead, too many bytes", 100, {100, 100, 0}, {1'000, 250}, 75},
      {"both limits, the tighter counts", 100, {100, 100, 0}, {60, 250}, 75},
      {"not flushed", 0, {100, 100, 100}, {10, 10}, 0},
      {"flushed a little", 20, {100, 100, 100}, {10, 10}, 20},
      {"flushed less than the limits ask for", 50, {100, 100, 0}, {30, 1'000'000}, 50},
      {"no room at all", 100, {100, 100, 0}, {1'000, 0}, 100},
  };
  for (const auto& r : rows) {
    const auto log = log_of(0, 100, r.limits);
    CHECK_MESSAGE(log.droppable(log_index{r.flushed}, durable(r.durable)).value == r.droppable, r.what);
  }
}

TEST_CASE("limits count from where the log begins") {
  const auto log = log_of(900, 100, {40, 1'000'000});
  CHECK(log.forgettable(durable({1'000, 1'000, 0})) == log_index{960});
  CHECK(log.droppable(log_index{1'000}, durable({1'000, 1'000, 0})) == log_index{960});
  CHECK(log.droppable(log_index{930}, durable({1'000, 1'000, 0})) == log_index{930});
}

TEST_CASE("whatever members say, nothing is forgotten or cut that is still needed") {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const auto first = random.below(50);
    const auto count = random.below(60);
    const auto log = log_of(first, count, {random.below(80), random.below(800)});
    std::vector<std::uint64_t> said(random.between(1, 9));
    for (auto& x : said)
      x = random.below(first + count + 5);
    const auto flushed = random.below(first + count + 1);
    const auto forgettable = log.forgettable(durable(said)).value;
    std::size_t have = 0;
    for (const auto x : said)
      have += x >= forgettable ? 1 : 0;
    CHECK(2 * have > said.size());
    CHECK(log.droppable(log_index{flushed}, durable(said)).value <= flushed);
  }
}

}  // namespace quorate::testing
