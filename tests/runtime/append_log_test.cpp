#include "runtime/append_log.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/machines.hpp"
#include "tests/harness/direct_state.hpp"

#include <doctest/doctest.h>

using namespace quorate;

namespace {

/// An append log on a store in memory.
struct log_on_store {
  append_log machine;
  memory_store disk;
  std::uint64_t batches = 0;

  std::vector<machine_answer> append(const std::vector<direct_command>& commands) {
    return apply_directly(machine, disk, log_index{batches++}, commands);
  }

  /// Fails the test where the answer is not a page. The page points into `bytes`.
  log_page read(const log_query& query, std::string& bytes) const {
    auto answer = machine.query(encode(query), *disk.view());
    REQUIRE_MESSAGE(answer.code == errc::ok, answer.body);
    bytes = std::move(answer.body);
    auto page = decode_log_page(bytes);
    REQUIRE(page);
    return std::move(*page);
  }
};

std::uint64_t index_in(const machine_answer& answer) {
  REQUIRE_MESSAGE(answer.code == errc::ok, answer.body);
  const auto index = decode_index(answer.body);
  REQUIRE(index);
  return *index;
}

}  // namespace

TEST_CASE("an append log numbers its entries without gaps across batches") {
  log_on_store log;
  std::uint64_t expected = 0;
  for (const auto size : {1, 3, 1, 5}) {
    const auto answers = log.append(std::vector<direct_command>(static_cast<std::size_t>(size), {"k", "1"}));
    REQUIRE(answers.size() == static_cast<std::size_t>(size));
    for (const auto& answer : answers)
      CHECK(index_in(answer) == expected++);
  }
}

TEST_CASE("an entry without a value or with too long a key is refused and takes no index") {
  log_on_store log;
  const auto answers =
      log.append({{"a", "1"}, {"b", ""}, {std::string(limits::key_bytes_max + 1, 'k'), "1"}, {"c", "2"}});
  REQUIRE(answers.size() == 4);
  CHECK(index_in(answers[0]) == 0);
  CHECK(answers[1].code == errc::invalid_command);
  CHECK(answers[2].code == errc::too_large);
  CHECK(answers[2].body.find("key_bytes_max") != std::string::npos);
  CHECK(index_in(answers[3]) == 1);
  CHECK(log.append({{"b", ""}})[0].code == errc::invalid_command);
  CHECK(index_in(log.append({{"d", "3"}})[0]) == 2);
}

TEST_CASE("an empty log answers an empty page") {
  const log_on_store log;
  std::string bytes;
  const auto page = log.read({.from = 0}, bytes);
  CHECK(page.entries.empty());
  CHECK(page.next == 0);
  CHECK(page.end == 0);
}

TEST_CASE("a query from the end or beyond it gets an empty page that says to ask again") {
  log_on_store log;
  log.append({{"a", "1"}, {"b", "2"}});
  for (const std::uint64_t from : {std::uint64_t{2}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    for (const auto& key : {std::optional<std::string>{}, std::optional<std::string>{"a"}}) {
      std::string bytes;
      const auto page = log.read({.from = from, .limit = 10, .key = key}, bytes);
      CHECK(page.entries.empty());
      CHECK(page.next == 2);  // never beyond the end
      CHECK(page.end == 2);
    }
  }
}

TEST_CASE("a query that cannot be read is refused") {
  const log_on_store log;
  const auto valid = encode(log_query{.from = 7, .limit = 9, .key = "k"});
  std::vector<std::string> broken{"",
                                  "x",
                                  std::string(100, '\xff'),
                                  encode(log_query{.limit = 0}),
                                  encode(log_query{.limit = limits::log_page_entries_max + 1}),
                                  encode(log_query{}) + "x"};
  // A key's length is not written down: what is cut off there is another, valid query.
  for (std::size_t n = 0; n + 1 < valid.size(); ++n)
    broken.push_back(valid.substr(0, n));
  for (const auto& request : broken) {
    CAPTURE(request);
    CHECK(log.machine.query(request, *log.disk.view()).code == errc::invalid_command);
  }
}

TEST_CASE("a log query and a log page survive their encoding, and no prefix of a page is a page") {
  for (const auto& query : {log_query{}, log_query{.from = ~std::uint64_t{0}, .limit = 1000, .key = ""},
                            log_query{.from = 5, .limit = 1, .key = std::string("a\0b", 3)}})
    CHECK(decode_log_query(encode(query)) == query);

  log_page_writer writer;
  writer.add({.index = 3, .key = "k", .value = "1.0"});
  writer.add({.index = 9, .key = "", .value = "[]"});
  const auto bytes = std::move(writer).finish(10, 20);
  const auto page = decode_log_page(bytes);
  REQUIRE(page);
  REQUIRE(page->entries.size() == 2);
  CHECK(page->entries[0] == log_entry{3, "k", "1.0"});
  CHECK(page->entries[1] == log_entry{9, "", "[]"});
  CHECK(page->next == 10);
  CHECK(page->end == 20);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(decode_log_page(std::string_view{bytes}.substr(0, n)));
  CHECK_FALSE(decode_log_page(bytes + "x"));
  auto lying = bytes;
  lying[17] = '\xff';
  lying[20] = '\xff';
  CHECK_FALSE(decode_log_page(lying));
}

TEST_CASE("an append log answers what a plain list would") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    log_on_store log;
    std::vector<direct_command> twin;
    const auto batches = random.between(1, 40);
    for (std::uint64_t b = 0; b < batches; ++b) {
      std::vector<direct_command> commands(random.between(1, 30));
      for (auto& c : commands)
        c = {"k" + std::to_string(random.below(4)),
             std::string(random.between(1, 20), 'v') + std::to_string(twin.size())};
      const auto answers = log.append(commands);
      for (std::size_t i = 0; i < commands.size(); ++i) {
        CHECK(index_in(answers[i]) == twin.size());
        twin.push_back(commands[i]);
      }
    }
    for (int i = 0; i < 100; ++i) {
      log_query query{.from = random.below(twin.size() + 3),
                      .limit = static_cast<std::uint32_t>(random.between(1, 50))};
      if (random.chance(50))
        query.key = "k" + std::to_string(random.below(5));
      std::string bytes;
      const auto page = log.read(query, bytes);
      auto at = query.from;
      std::vector<log_entry> expected;
      for (; at < twin.size() && expected.size() < query.limit; ++at)
        if (!query.key || twin[at].key == *query.key)
          expected.push_back({at, twin[at].key, twin[at].body});
      CHECK(page.entries == expected);
      CHECK(page.next == std::min<std::uint64_t>(at, twin.size()));  // never beyond the end
      CHECK(page.end == twin.size());
    }
  }
}

TEST_CASE("paging through a million entries gives each of them once") {
  constexpr std::uint64_t total = 1'000'000;
  log_on_store log;
  std::uint64_t written = 0;
  prng random{7};
  while (written < total) {
    std::vector<direct_command> commands(std::min<std::uint64_t>(random.between(1, 8192), total - written));
    for (auto& c : commands) {
      c = {written % 1000 == 0 ? "rare" : "often", std::to_string(written)};
      ++written;
    }
    log.append(commands);
  }
  const auto view = log.disk.view();
  const auto walk = [&](log_query query, std::uint64_t step) {
    std::uint64_t expected = 0;
    std::uint64_t pages = 0;
    while (true) {
      const auto answer = log.machine.query(encode(query), *view);
      const auto page = decode_log_page(answer.body);
      REQUIRE(page);
      REQUIRE(page->end == total);
      for (const auto& entry : page->entries) {
        REQUIRE(entry.index == expected);
        REQUIRE(entry.value == std::to_string(expected));
        expected += step;
      }
      ++pages;
      if (page->next == total)
        break;
      REQUIRE(page->next > query.from);
      REQUIRE(page->next - query.from <= limits::log_scan_entries_max);
      query.from = page->next;
    }
    CHECK(expected == total);
    return pages;
  };
  CHECK(walk({.from = 0, .limit = 1000}, 1) == total / 1000);
  // A rare key stops at the number of entries that are looked at, long before its limit.
  CHECK(walk({.from = 0, .limit = 1000, .key = "rare"}, 1000) == total / limits::log_scan_entries_max);
  std::string bytes;
  const auto none = log.read({.from = 5, .limit = 1, .key = "never"}, bytes);
  CHECK(none.entries.empty());
  CHECK(none.next == 5 + limits::log_scan_entries_max);
}

TEST_CASE("a page stays below its limit of bytes, and large entries all come through") {
  log_on_store log;
  const auto largest = limits::command_bytes_max - limits::key_bytes_max;
  for (int i = 0; i < 5; ++i)
    log.append({{std::string(limits::key_bytes_max, 'k'), std::string(largest, 'v')}});
  std::uint64_t from = 0;
  while (from < 5) {
    std::string bytes;
    const auto page = log.read({.from = from, .limit = 1000}, bytes);
    CHECK(bytes.size() <= limits::log_page_bytes_max);
    REQUIRE(page.next > from);
    CHECK(page.entries.size() == page.next - from);
    from = page.next;
  }
  // With a key that nothing has, the bytes looked at are what ends the search.
  for (int i = 0; i < 40; ++i)
    log.append({{"k", std::string(largest, 'v')}});
  std::string bytes;
  const auto page = log.read({.from = 0, .limit = 1, .key = "never"}, bytes);
  CHECK(page.entries.empty());
  CHECK(page.next > 20);
  CHECK(page.next < 40);
}

TEST_CASE("a damaged store is reported and never read as entries") {
  log_on_store log;
  log.append({{"a", "1"}, {"b", "2"}});
  log.append({{"c", "3"}});
  const auto first = "e" + std::string(8, '\0');
  const auto second = "e" + std::string(7, '\0') + "\2";
  const auto saved = log.disk.get(first);
  REQUIRE(saved);
  const auto code_with = [&](const std::string& key, std::optional<std::string> value, std::uint64_t from) {
    memory_store disk;
    store_batch changes;
    log.disk.scan("", "", [&](std::string_view k, std::string_view v) {
      if (k != key)
        changes.put(std::string{k}, std::string{v});
      return true;
    });
    if (value)
      changes.put(key, *value);
    REQUIRE_FALSE(disk.write(changes, log_index{0}));
    return log.machine.query(encode(log_query{.from = from}), *disk.view()).code;
  };
  REQUIRE(code_with(first, saved, 0) == errc::ok);
  for (std::size_t n = 0; n < 12; ++n)
    CHECK(code_with(first, saved->substr(0, n), 0) == errc::corrupt);
  CHECK(code_with(first, std::nullopt, 0) == errc::corrupt);
  CHECK(code_with(second, std::nullopt, 0) == errc::corrupt);
  CHECK(code_with(second, std::nullopt, 2) == errc::corrupt);
  CHECK(code_with("count", "x", 0) == errc::corrupt);
}

TEST_CASE("built-in state machines are found by name") {
  for (const auto& row : machines()) {
    CHECK(find_machine(row.name) == &row);
    CHECK(row.make()->name() == row.name);
    CHECK_FALSE(row.summary.empty());
  }
  CHECK(find_machine("append_log") != nullptr);
  CHECK(find_machine("key_value") != nullptr);
  CHECK(find_machine("") == nullptr);
  CHECK(find_machine("append") == nullptr);
}
