#include "runtime/key_value.hpp"

#include "actors/prng.hpp"
#include "tests/harness/direct_state.hpp"

#include <doctest/doctest.h>

using namespace quorate;

namespace {

struct map_on_store {
  key_value machine;
  memory_store disk;
  std::uint64_t batches = 0;

  std::vector<machine_answer> execute(const std::vector<direct_command>& commands) {
    return apply_directly(machine, disk, log_index{batches++}, commands);
  }
  std::optional<bool> changed(const std::string& key, const std::string& body) {
    const auto answer = execute({{key, body}}).at(0);
    return answer.code == errc::ok ? key_value::changed(answer.body) : std::nullopt;
  }
  std::optional<std::string> get(const std::string& key) const {
    const auto answer = machine.query(key_value::get(key), *disk.view());
    REQUIRE(answer.code == errc::ok);
    const auto found = key_value::value_in(answer.body);
    REQUIRE(found);
    if (!found->value)
      return std::nullopt;
    return std::string{*found->value};
  }
};

}  // namespace

TEST_CASE("a key has the value that was put last, and none after it was erased") {
  map_on_store map;
  CHECK_FALSE(map.get("a"));
  CHECK(map.changed("a", key_value::put("1")) == true);
  CHECK(map.get("a") == "1");
  CHECK(map.changed("a", key_value::put("")) == true);
  CHECK(map.get("a") == "");
  CHECK(map.changed("a", key_value::erase()) == true);
  CHECK_FALSE(map.get("a"));
  CHECK(map.changed("a", key_value::erase()) == false);
  CHECK(map.changed("", key_value::put("empty key")) == true);
  CHECK(map.get("") == "empty key");
}

TEST_CASE("compare-and-set changes a key only from the expected value, absence included") {
  map_on_store map;
  CHECK(map.changed("a", key_value::compare_and_set("0", "1")) == false);
  CHECK_FALSE(map.get("a"));
  CHECK(map.changed("a", key_value::compare_and_set(std::nullopt, "1")) == true);
  CHECK(map.changed("a", key_value::compare_and_set(std::nullopt, "2")) == false);
  CHECK(map.changed("a", key_value::compare_and_set("", "2")) == false);
  CHECK(map.changed("a", key_value::compare_and_set("1", "2")) == true);
  CHECK(map.get("a") == "2");
  CHECK(map.changed("a", key_value::compare_and_set("2", std::nullopt)) == true);
  CHECK_FALSE(map.get("a"));
}

TEST_CASE("commands of one batch see those before them") {
  map_on_store map;
  const auto answers = map.execute({{"a", key_value::put("1")},
                                    {"a", key_value::compare_and_set("1", "2")},
                                    {"a", key_value::compare_and_set("1", "3")},
                                    {"b", key_value::erase()},
                                    {"a", key_value::erase()},
                                    {"a", key_value::compare_and_set(std::nullopt, "4")}});
  const std::vector<bool> expected{true, true, false, false, true, true};
  REQUIRE(answers.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(key_value::changed(answers[i].body) == expected[i]);
  CHECK(map.get("a") == "4");
}

TEST_CASE("commands and queries that cannot be read are refused and change nothing") {
  map_on_store map;
  REQUIRE(map.changed("a", key_value::put("1")) == true);
  const auto swap = key_value::compare_and_set("1", "2");
  std::vector<std::string> broken{
      "", "\x7f", key_value::get("a"), key_value::erase() + "x", swap + "x", std::string(50, '\xff')};
  for (std::size_t n = 0; n < swap.size(); ++n)
    broken.push_back(swap.substr(0, n));
  auto odd = swap;
  odd[1] = '\2';
  broken.push_back(odd);
  for (const auto& body : broken) {
    CAPTURE(body);
    CHECK(map.execute({{"a", body}}).at(0).code == errc::invalid_command);
    CHECK(map.get("a") == "1");
  }
  for (const std::string request : {"", "\2k", "\xff"})
    CHECK(map.machine.query(request, *map.disk.view()).code == errc::invalid_command);
  for (const std::string answer : {"", "\2", "xx"}) {
    CHECK_FALSE(key_value::changed(answer));
    CHECK_FALSE(key_value::value_in(answer));
  }
}

TEST_CASE("a key-value map does what a plain map would") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    map_on_store map;
    std::map<std::string, std::string> twin;
    const auto some_value = [&] { return std::string(random.below(3), 'v'); };
    const auto maybe_value = [&] { return random.chance(30) ? std::nullopt : std::optional{some_value()}; };
    for (int batch = 0; batch < 60; ++batch) {
      std::vector<direct_command> commands;
      std::vector<bool> expected;
      const auto count = random.between(1, 10);
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto key = std::to_string(random.below(5));
        const auto kind = random.below(3);
        if (kind == 0) {
          const auto value = some_value();
          twin[key] = value;
          commands.push_back({key, key_value::put(value)});
          expected.push_back(true);
        } else if (kind == 1) {
          commands.push_back({key, key_value::erase()});
          expected.push_back(twin.erase(key) == 1);
        } else {
          const auto from = maybe_value();
          const auto to = maybe_value();
          const auto now = twin.contains(key) ? std::optional{twin.at(key)} : std::nullopt;
          if (now == from && to)
            twin[key] = *to;
          else if (now == from)
            twin.erase(key);
          commands.push_back({key, key_value::compare_and_set(from, to)});
          expected.push_back(now == from);
        }
      }
      const auto answers = map.execute(commands);
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(key_value::changed(answers[i].body) == expected[i]);
    }
    for (int i = 0; i < 5; ++i) {
      const auto key = std::to_string(i);
      CHECK(map.get(key) == (twin.contains(key) ? std::optional{twin.at(key)} : std::nullopt));
    }
  }
}
