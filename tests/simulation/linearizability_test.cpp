#include "tests/harness/linearizability.hpp"

#include "actors/prng.hpp"
#include "tests/harness/models.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <iostream>
#include <numeric>

using namespace quorate;
using namespace quorate::testing;

namespace {

using reg = register_model::operation;
using key = key_model::operation;
using log_op = append_log_model::operation;

template <class Model>
bool accepted(const std::vector<timed<typename Model::operation>>& history) {
  return static_cast<bool>(linearizability_checker<Model>{Model{}}.check(history));
}

/// The dumb twin: every order of every subset that has all definite operations.
template <class Model>
bool brute_force(const std::vector<timed<typename Model::operation>>& history) {
  const Model model;
  std::vector<bool> used(history.size());
  auto search = [&](auto& self, const typename Model::state& now) -> bool {
    bool all = true;
    for (std::size_t i = 0; i < history.size(); ++i)
      all = all && (used[i] || !history[i].returned);
    if (all)
      return true;
    for (std::size_t i = 0; i < history.size(); ++i) {
      if (used[i])
        continue;
      // Nothing that is not done yet may have returned before this one was invoked.
      bool may = true;
      for (std::size_t j = 0; j < history.size(); ++j)
        may = may && (used[j] || !history[j].returned || *history[j].returned >= history[i].invoked);
      if (!may)
        continue;
      const auto then = model.apply(now, history[i].what, history[i].returned.has_value());
      if (!then)
        continue;
      used[i] = true;
      const auto found = self(self, *then);
      used[i] = false;
      if (found)
        return true;
    }
    return false;
  };
  return search(search, model.initial());
}

/// A history that a real object could have made: each operation takes effect at one moment between its ends.
template <class Model, class Draw>
std::vector<timed<typename Model::operation>> draw_history(prng& random, std::size_t operations,
                                                           std::int64_t overlap, double unknown, Draw draw) {
  struct planned {
    timed<typename Model::operation> op;
    std::int64_t effect;
    std::size_t place;
  };
  std::vector<planned> all(operations);
  for (std::size_t i = 0; i < operations; ++i) {
    auto& p = all[i];
    p.place = i;
    p.effect = static_cast<std::int64_t>(i) * 10 + static_cast<std::int64_t>(random.below(10));
    p.op.invoked = p.effect - static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(overlap)));
    p.op.returned = p.effect + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(overlap)));
  }
  const Model model;
  auto now = model.initial();
  for (auto& p : all) {
    p.op.what = draw(now, random);
    if (random.chance(unknown)) {
      p.op.returned.reset();
      if (random.chance(50))
        continue;  // never took effect
    }
    now = *model.apply(now, p.op.what, true);
  }
  std::vector<timed<typename Model::operation>> history;
  for (auto& p : all)
    history.push_back(std::move(p.op));
  return history;
}

reg draw_register(const std::int64_t& now, prng& random) {
  return random.chance(50) ? reg{true, static_cast<std::int64_t>(random.below(4))} : reg{false, now};
}

key draw_key(const std::optional<std::string>& now, prng& random) {
  const auto value = std::string(1, static_cast<char>('a' + random.below(3)));
  switch (random.below(4)) {
  case 0:
    return {key_model::kind::put, {}, value, {}, false};
  case 1:
    return {key_model::kind::erase, {}, {}, {}, false};
  case 2: {
    const std::optional<std::string> expected = random.chance(50) ? now : std::optional<std::string>{value};
    return {key_model::kind::compare_and_set, expected, value + "x", {}, expected == now};
  }
  default:
    return {key_model::kind::get, {}, {}, now, false};
  }
}

/// Puts of values that are all different, and gets.
key draw_put_or_get(const std::optional<std::string>& now, prng& random) {
  if (random.chance(60))
    return {key_model::kind::put, {}, std::to_string(random.next()), {}, false};
  return {key_model::kind::get, {}, {}, now, false};
}

/// Says which puts nobody has seen.
void mark_unseen(std::vector<timed<key>>& history) {
  for (auto& put : history)
    put.what.unseen = put.what.what == key_model::kind::put &&
                      std::none_of(history.begin(), history.end(), [&](const timed<key>& other) {
                        return other.returned && other.what.read == put.what.value;
                      });
}

log_op draw_log(const append_log_model::state& now, prng& random) {
  if (random.chance(60))
    return {true, "v" + std::to_string(random.below(1'000'000)), now.length(), {}, 0};
  log_op read;
  read.index = now.length() == 0 ? 0 : random.below(now.length());
  read.end = now.length();
  std::vector<std::string> all;
  for (auto at = now.last.get(); at; at = at->before.get())
    all.insert(all.begin(), at->value);
  for (auto i = read.index; i < all.size() && read.read.size() < 5; ++i)
    read.read.push_back(all[i]);
  return read;
}

}  // namespace

TEST_CASE("a register's read may see a concurrent write or the value before it, and nothing else") {
  CHECK(accepted<register_model>({{reg{true, 1}, 0, 10}, {reg{false, 1}, 5, 6}}));
  CHECK(accepted<register_model>({{reg{true, 1}, 0, 10}, {reg{false, 0}, 5, 6}}));
  CHECK_FALSE(accepted<register_model>({{reg{true, 1}, 0, 10}, {reg{false, 2}, 5, 6}}));
}

TEST_CASE("a register's read never goes back in time") {
  CHECK_FALSE(accepted<register_model>({{reg{true, 1}, 0, 1}, {reg{false, 0}, 2, 3}}));
  // Two reads one after the other while a write is under way: new, then old.
  CHECK_FALSE(
      accepted<register_model>({{reg{true, 1}, 0, 10}, {reg{false, 1}, 1, 2}, {reg{false, 0}, 3, 4}}));
}

TEST_CASE("an operation of unknown outcome explains what was seen, at any later time, once") {
  CHECK(accepted<register_model>({{reg{true, 1}, 0, {}}, {reg{false, 0}, 5, 6}, {reg{false, 1}, 7, 8}}));
  CHECK(accepted<register_model>({{reg{true, 1}, 0, {}}, {reg{false, 0}, 5, 6}}));
  CHECK_FALSE(
      accepted<register_model>({{reg{true, 1}, 0, {}}, {reg{false, 1}, 5, 6}, {reg{false, 0}, 7, 8}}));
  CHECK_FALSE(accepted<register_model>({{reg{true, 1}, 5, {}}, {reg{false, 1}, 1, 2}}));
}

TEST_CASE("of two compare-and-sets with the same expectation one wins") {
  const key win{key_model::kind::compare_and_set, std::nullopt, "a", {}, true};
  const key lose{key_model::kind::compare_and_set, std::nullopt, "b", {}, false};
  CHECK(accepted<key_model>({{win, 0, 5}, {lose, 1, 6}}));
  CHECK_FALSE(accepted<key_model>({{win, 0, 5}, {win, 1, 6}}));
  CHECK_FALSE(accepted<key_model>({{lose, 0, 1}, {win, 2, 3}}));
}

TEST_CASE("an append log has one entry at an index, and reads see a prefix") {
  const log_op a{true, "a", 0, {}, 0};
  const log_op b{true, "b", 1, {}, 0};
  CHECK(accepted<append_log_model>({{a, 0, 5}, {b, 1, 6}, {log_op{false, {}, 0, {"a", "b"}, 2}, 7, 8}}));
  CHECK_FALSE(accepted<append_log_model>({{a, 0, 5}, {log_op{true, "b", 0, {}, 0}, 1, 6}}));
  CHECK_FALSE(accepted<append_log_model>({{b, 0, 1}, {a, 2, 3}}));
  CHECK_FALSE(accepted<append_log_model>({{a, 0, 1}, {b, 2, 3}, {log_op{false, {}, 0, {"a"}, 1}, 4, 5}}));
}

TEST_CASE("the checker agrees with brute force on thousands of small random histories, sound and broken") {
  std::size_t refused = 0;
  std::size_t refused_gets = 0;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    prng random{seed};
    auto registers = draw_history<register_model>(random, random.between(1, 7), 40, 20, draw_register);
    auto keys = draw_history<key_model>(random, random.between(1, 7), 40, 20, draw_key);
    auto logs = draw_history<append_log_model>(random, random.between(1, 6), 40, 20, draw_log);
    CAPTURE(seed);
    auto puts = draw_history<key_model>(random, random.between(1, 7), 60, 20, draw_put_or_get);
    mark_unseen(puts);
    REQUIRE(accepted<key_model>(puts));
    REQUIRE(accepted<register_model>(registers));
    REQUIRE(accepted<key_model>(keys));
    REQUIRE(accepted<append_log_model>(logs));
    // Break one answer; often, not always, no order explains it any more.
    registers[random.below(registers.size())].what.value += 1;
    auto& k = keys[random.below(keys.size())].what;
    k.changed = !k.changed;
    k.read = "broken";
    ++logs[random.below(logs.size())].what.index;
    const auto r = brute_force<register_model>(registers);
    REQUIRE(accepted<register_model>(registers) == r);
    REQUIRE(accepted<key_model>(keys) == brute_force<key_model>(keys));
    REQUIRE(accepted<append_log_model>(logs) == brute_force<append_log_model>(logs));
    refused += r ? 0 : 1;
    // A get that finds the value of some put, whether it could or not.
    auto& get = puts[random.below(puts.size())].what;
    get = {key_model::kind::get, {}, {}, puts[random.below(puts.size())].what.value, false};
    mark_unseen(puts);
    const auto g = brute_force<key_model>(puts);
    REQUIRE(accepted<key_model>(puts) == g);
    refused_gets += g ? 0 : 1;
  }
  CHECK(refused > 500);
  CHECK(refused_gets > 500);
}

TEST_CASE("what was seen in a log forbids an append of unknown outcome where something else stands") {
  const log_op lost{true, "a", 0, {}, 0};
  const log_op read{false, {}, 1, {}, 1};
  const std::vector<timed<log_op>> history{{lost, 0, {}}, {read, 1, 2}};
  const std::map<std::uint64_t, std::string> seen{{0, "b"}};
  CHECK(linearizability_checker<append_log_model>{{}}.check(history));
  CHECK_FALSE(linearizability_checker<append_log_model>{{&seen}}.check(history));
}

TEST_CASE("ten thousand operations are checked, and the cost is printed") {
  prng random{7};
  const auto registers = draw_history<register_model>(random, 10'000, 60, 1, draw_register);
  auto logs = draw_history<append_log_model>(random, 10'000, 60, 0, [](const auto& now, prng& r) {
    return r.chance(90) ? log_op{true, "v" + std::to_string(r.next()), now.length(), {}, 0}
                        : log_op{false, {}, now.length(), {}, now.length()};
  });
  auto timed_check = [](std::string_view name, auto checker, const auto& history) {
    const auto begin = std::chrono::steady_clock::now();
    const auto result = checker.check(history);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << name << ": " << history.size() << " operations, " << result.steps << " steps, "
              << took.count() << " s\n";
    return result;
  };
  CHECK(timed_check("register", linearizability_checker<register_model>{{}}, registers));
  CHECK(timed_check("append log", linearizability_checker<append_log_model>{{}}, logs));
  // A read of the past at the very end.
  logs.push_back({log_op{false, {}, 0, {}, 1}, 1'000'000, 1'000'001});
  CHECK_FALSE(timed_check("append log, stale read", linearizability_checker<append_log_model>{{}}, logs));
}
