// The checks of the other tests here, each with a history that it must refuse.

#include "tests/harness/process/append_history.hpp"

#include <doctest/doctest.h>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

append_record done(std::string value, std::chrono::nanoseconds from, std::chrono::nanoseconds to,
                   std::uint64_t index) {
  return {1, "k", std::move(value), from, to, append_fate::acknowledged, index};
}

read_record seen(std::chrono::nanoseconds from, std::chrono::nanoseconds to, std::vector<log_entry> entries,
                 std::uint64_t end) {
  const auto next = std::uint64_t{entries.size()};
  return {2, from, to, 0, {std::move(entries), next, end}};
}

const std::vector<log_entry> ab = {{0, "k", "a"}, {1, "k", "b"}};

final_logs both(std::vector<log_entry> log) {
  return {{1, log}, {2, log}};
}

bool finds(const append_history& history, const final_logs& logs, std::string_view what) {
  return violations(history, logs).find(what) != std::string::npos;
}

append_history good() {
  return {{done("a", 1us, 2us, 0), done("b", 3us, 4us, 1)}, {seen(5us, 6us, ab, 2)}, {}};
}

TEST_CASE("a history without mistakes passes") {
  auto history = good();
  CHECK(violations(history, both(ab)).empty());
  // Of unknown fate: there or not.
  history.appends.push_back({1, "k", "c", 1us, 9us, append_fate::unknown, 0});
  CHECK(violations(history, both(ab)).empty());
  CHECK(violations(history, both({{0, "k", "a"}, {1, "k", "b"}, {2, "k", "c"}})).empty());
  history.appends.push_back({1, "k", "d", 1us, 9us, append_fate::refused, 0});
  CHECK(violations(history, both(ab)).empty());
}

TEST_CASE("the checks of a history find each kind of mistake") {
  CHECK(finds(good(), {}, "no log could be read"));
  CHECK(finds(good(), {{1, ab}, {2, {ab[0]}}}, "the logs differ in length"));
  CHECK(finds(good(), {{1, ab}, {2, {ab[0], {1, "k", "x"}}}}, "the logs differ"));
  CHECK(finds(good(), both({ab[0], {2, "k", "b"}}), "the log has gaps"));
  CHECK(finds(good(), both({ab[0]}), "an acknowledged append does not stand"));
  CHECK(finds(good(), both({{0, "k", "b"}, {1, "k", "a"}}), "an acknowledged append does not stand"));
  CHECK(finds(good(), both({ab[0], ab[1], {2, "k", "a"}}), "a value stands twice"));
  CHECK(finds(good(), both({ab[0], ab[1], {2, "k", "x"}}), "nobody has appended"));
  CHECK(finds(good(), both({ab[0], {1, "other", "b"}}), "nobody has appended"));

  auto history = good();
  history.appends[1].fate = append_fate::refused;
  CHECK(finds(history, both(ab), "a refused append stands in the log"));

  history = good();
  history.appends[0] = done("a", 5us, 6us, 0);
  CHECK(finds(history, both(ab), "an append stands below"));
  history.appends[0].fate = append_fate::unknown;
  CHECK(finds(history, both(ab), "an append stands below"));

  history = good();
  history.reads = {seen(5us, 6us, {ab[0]}, 1)};
  CHECK(finds(history, both(ab), "does not see what was acknowledged"));
  // The end that a read has seen binds later reads and appends, too.
  history.reads = {seen(5us, 6us, ab, 3), seen(7us, 8us, ab, 2)};
  CHECK(finds(history, both(ab), "does not see what was acknowledged"));
  history.reads = {seen(1us, 2us, {ab[0]}, 2)};
  CHECK(finds(history, both(ab), "an append stands below"));

  history = good();
  history.reads = {seen(5us, 6us, {ab[0], {1, "k", "x"}}, 2)};
  CHECK(finds(history, both(ab), "what does not stand in the log"));
  history.reads = {seen(5us, 6us, {ab[1]}, 2)};
  CHECK(finds(history, both(ab), "a read has left something out"));
  history.reads = {seen(5us, 6us, {}, 2)};
  CHECK(finds(history, both(ab), "a read has left something out"));

  history = good();
  history.odd = {"POST: 500"};
  CHECK(finds(history, both(ab), "an answer that nobody should get"));
}

TEST_CASE("the longest gap is between two acknowledgements") {
  auto history = good();
  CHECK(history.longest_gap() == 2us);
  history.appends[0].fate = append_fate::unknown;
  CHECK(history.longest_gap() == 0us);
  CHECK(history.count(append_fate::acknowledged) == 1);
}

}  // namespace
