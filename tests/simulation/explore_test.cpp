// How seeds are run on all cores, and what becomes of a process that dies.
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <unistd.h>

using namespace quorate;
using namespace quorate::testing;

namespace {

constexpr std::uint64_t first = 10;

/// One worker, whose third run ends in `death`.
findings with_third_run(void (*death)()) {
  exploration what;
  what.first = first;
  what.seeds = 5;
  what.workers = 1;
  options how;
  how.work = [death, runs = std::make_shared<int>(0)] {
    if (++*runs == 3)
      death();
    return append_workload();
  };
  return explore(what, *find_protocol("paxos"), how);
}

}  // namespace

TEST_CASE("a seed that kills its process is reported like one that fails") {
  const auto killed = with_third_run([] { ::raise(SIGKILL); });
  CHECK(killed.seeds == 2);
  REQUIRE(killed.failures.size() == 1);
  CHECK(killed.failures[0].seed == first + 2);
  CHECK(killed.failures[0].failure.find("signal 9") != std::string::npos);
  CHECK(killed.failures[0].replay.find("--seed 12 --members 3") != std::string::npos);

  const auto ended = with_third_run([] { ::_exit(7); });
  REQUIRE(ended.failures.size() == 1);
  CHECK(ended.failures[0].seed == first + 2);
  CHECK(ended.failures[0].failure.find("exit code 7") != std::string::npos);
}

TEST_CASE("every seed is run once, whatever the number of workers") {
  findings last;
  for (const std::size_t workers : {1, 2, 3, 7}) {
    exploration what;
    what.first = first;
    what.seeds = 12;
    what.workers = workers;
    const auto found = explore(what, *find_protocol("paxos"));
    CHECK(found.seeds == 12);
    CHECK(found.failures.empty());
    if (last.seeds > 0) {
      CHECK(found.events == last.events);
      CHECK(text(found.count) == text(last.count));
    }
    last = found;
  }
  CHECK(text(last).find("seeds/min") != std::string::npos);
  CHECK(text(last).find("events/s") != std::string::npos);
}

TEST_CASE("where nobody fixes the members each seed has its own number of them, and its replay names it") {
  exploration what;
  what.seeds = 40;
  what.members = 0;
  what.stop_at_failure = false;
  const auto found = explore(what, *find_protocol("paxos"), [](std::size_t members) -> options {
    options how;
    // Fails at once, everywhere but among five.
    how.steps_max = members == 5 ? how.steps_max : 10;
    return how;
  });
  CHECK(found.seeds == 40);
  std::size_t expected = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    expected += scenario::members_of(seed) == 5 ? 0 : 1;
  CHECK(expected < 40);
  CHECK(found.failures.size() == expected);
  for (const auto& f : found.failures) {
    CHECK(f.failure.starts_with("progress: "));
    CHECK(f.replay.ends_with("--members " + std::to_string(scenario::members_of(f.seed))));
  }
}
