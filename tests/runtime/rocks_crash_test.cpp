// Journal and store of processes that are killed.
#include "runtime/rocks_journal.hpp"
#include "runtime/rocks_store.hpp"

#include "tests/harness/child_test.hpp"
#include "tests/harness/journal_suite.hpp"
#include "tests/harness/store_suite.hpp"
#include "tests/harness/temporary_directory.hpp"

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<rocks_journal> open_journal(const fs::path& path) {
  auto opened = rocks_journal::open(path, database::may_be_new, {256u << 10, 256u << 10, 1u << 20, 2u << 20});
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  return std::move(std::get<std::unique_ptr<rocks_journal>>(opened));
}

std::unique_ptr<rocks_store> open_store(const fs::path& path) {
  auto opened = rocks_store::open(path, database::may_be_new, {64u << 10, 1u << 20, false});
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  return std::move(std::get<std::unique_ptr<rocks_store>>(opened));
}

// What commit `n` does, known to the one that is killed and to the one that looks.
std::vector<journal_op> commit_of(std::uint64_t n) {
  prng random{n};
  std::vector<journal_op> ops{put("n", std::to_string(n))};
  for (auto i = random.below(5); i > 0; --i)
    ops.push_back(put("k" + std::to_string(100 + random.below(300)), std::string(random.below(300), 'v'),
                      a_batch(n * 5 + i)));
  const auto from = random.below(300);
  if (random.chance(20))
    ops.push_back(
        erase("k" + std::to_string(100 + from), "k" + std::to_string(100 + from + random.below(200))));
  return ops;
}

bool is_synced(std::uint64_t n) {
  return n % 3 == 0;
}

std::optional<std::uint64_t> number_in(const journal& j) {
  std::optional<std::uint64_t> n;
  CHECK(!j.scan("n", "o", [&](journal_row&& row) {
    n = std::stoull(row.value);
    return false;
  }));
  return n;
}

store_batch changes_of(std::uint64_t n) {
  prng random{n};
  store_batch changes;
  const auto key = [&] { return "k" + std::to_string(100 + random.below(300)); };
  for (auto i = random.below(5); i > 0; --i)
    changes.put(key(), std::string(random.below(300), 'v') + std::to_string(n));
  if (random.chance(30))
    changes.erase(key());
  if (random.chance(20))
    changes.erase_range(key(), key());
  changes.put("n", std::to_string(n));
  return changes;
}

const pair_list staged_pairs{{"new", "1"}, {"n", "500"}};

}  // namespace

TEST_CASE("child: commits for ever" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const auto j = open_journal(child_argument());
  const auto last = number_in(*j);
  for (auto n = last ? *last + 1 : 0;; ++n) {
    if (j->commit(commit_of(n), is_synced(n)))
      ::_exit(4);
    if (is_synced(n))
      report(n);
  }
}

TEST_CASE("a journal whose process is killed misses nothing that was synced") {
  const temporary_directory directory;
  prng random{7};
  journal_twin twin;
  std::uint64_t applied = 0;  // commits below this are in the twin
  for (auto round = 0; round < 12; ++round) {
    CAPTURE(round);
    std::optional<std::uint64_t> synced;
    {
      child_test child{"child: commits for ever", (directory / "j").string()};
      std::uint64_t n = 0;
      for (auto reports = 1 + random.below(150); reports > 0; --reports) {
        REQUIRE(child.next(n));
        synced = n;
      }
      child.kill();
      while (child.next(n))  // what it had reported before it died
        synced = n;
    }
    const auto j = open_journal(directory / "j");
    const auto newest = number_in(*j);
    REQUIRE(newest);
    CHECK(newest >= synced);
    for (; applied <= *newest; ++applied)
      twin.apply(commit_of(applied));
    REQUIRE(rows_of(*j) == twin.lines());
  }
}

TEST_CASE("child: writes for ever" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const auto s = open_store(child_argument());
  for (auto n = s->flushed() ? s->flushed()->value + 1 : 0;; ++n) {
    report(n);
    if (s->write(changes_of(n), log_index{n}))
      ::_exit(4);
    if (n % 100 == 0)
      s->start_flush();
    report(s->flushed() ? s->flushed()->value + 1 : 0);
  }
}

TEST_CASE("a store whose process is killed stands at a write that it had flushed or more") {
  const temporary_directory directory;
  prng random{8};
  plain_map twin;
  std::uint64_t applied = 0;
  for (auto round = 0; round < 12; ++round) {
    CAPTURE(round);
    std::uint64_t begun = 0;
    std::uint64_t flushed = 0;  // how many
    {
      child_test child{"child: writes for ever", (directory / "s").string()};
      for (auto reports = 1 + random.below(2000); reports > 0; --reports)
        REQUIRE((child.next(begun) && child.next(flushed)));
      child.kill();
      while (child.next(begun) && child.next(flushed)) {
      }
    }
    const auto s = open_store(directory / "s");
    const auto found = s->flushed() ? s->flushed()->value + 1 : 0;
    CHECK(found >= flushed);
    CHECK(found <= begun + 1);
    for (; applied < found; ++applied)
      apply_to(twin, changes_of(applied));
    REQUIRE(lines(*s) == lines(twin));
  }
}

TEST_CASE("child: stages and dies" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const std::string argument{child_argument()};
  const auto stage = argument[0] - '0';
  const auto s = open_store(argument.substr(1));
  const auto die_at = [&](int here) {
    if (stage == here)
      ::kill(::getpid(), SIGKILL);
  };
  const auto flush = [&] {
    s->start_flush();
    while (s->flushed() < s->newest())
      std::this_thread::yield();
  };
  if (s->write(puts({{"old", "1"}}), log_index{5}))
    ::_exit(4);
  flush();
  die_at(0);
  if (s->begin_staging())
    ::_exit(4);
  die_at(1);
  if (s->stage({staged_pairs[0]}))
    ::_exit(4);
  die_at(2);
  if (s->write(puts({{"old", "2"}}), log_index{6}))
    ::_exit(4);
  flush();  // takes what is staged along
  die_at(3);
  if (s->stage({staged_pairs[1]}))
    ::_exit(4);
  die_at(4);
  report(0);
  if (s->finish_staging(log_index{500}))
    ::_exit(4);
  report(1);
  die_at(5);
  for (std::uint64_t i = 501;; ++i)
    if (s->write(puts({{"later", std::to_string(i)}}), log_index{i}))
      ::_exit(4);
}

TEST_CASE("a staged snapshot is there whole or not at all, wherever the process is killed") {
  prng random{9};
  auto switched = 0;
  for (auto round = 0; round < 24; ++round) {
    CAPTURE(round);
    const temporary_directory directory;
    const auto stage = std::min(round, 6);
    auto finished = false;
    {
      child_test child{"child: stages and dies", std::to_string(stage) + (directory / "s").string()};
      std::uint64_t step = 0;
      if (stage < 6) {
        child.wait();
        while (child.next(step))
          finished = step == 1;
      } else {
        // Somewhere in the middle of the switch.
        REQUIRE(child.next(step));
        std::this_thread::sleep_for(std::chrono::microseconds{random.below(6000)});
        child.kill();
        while (child.next(step))
          finished = step == 1;
      }
    }
    for (auto restart = 0; restart < 2; ++restart) {
      const auto s = open_store(directory / "s");
      REQUIRE(s->flushed());
      const auto index = s->flushed()->value;
      CAPTURE(index);
      if (index < 500) {
        CHECK(!finished);
        CHECK(stage != 5);
        CHECK(index == (stage < 3 ? 5 : 6));
        CHECK(lines(*s) == (stage < 3 ? "old=1\n" : "old=2\n"));
      } else {
        CHECK(stage >= 5);
        const auto later = index == 500 ? "" : "later=" + std::to_string(index) + "\n";
        CHECK(lines(*s) == later + "n=500\nnew=1\n");
        switched += restart;
      }
      // Leftovers do not come back with the next staging.
      if (restart == 1) {
        REQUIRE(!s->begin_staging());
        REQUIRE(!s->stage({{"x", "y"}}));
        REQUIRE(!s->finish_staging(log_index{1'000'000}));
        CHECK(lines(*s) == "x=y\n");
      }
    }
  }
  CHECK(switched > 0);
  CHECK(switched < 19);
}
