#include "tests/harness/explore.hpp"

#include "protocols/registry.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

options with_checks_of(const protocol& p, std::size_t members) {
  options how;
  how.checks = checks_of(p.name, members);
  return how;
}

}  // namespace

TEST_CASE("every protocol keeps its promises under every fault, from thousands of seeds") {
  const auto wanted = wishes_of_environment();
  if (wanted.one_run())
    return;
  for (const auto& p : wanted.protocols()) {
    exploration what;
    what.first = wanted.first;
    what.seeds = wanted.seeds_of(p);
    what.members = wanted.members.value_or(0);
    what.stop_at_failure = !wanted.all;
    const auto found =
        explore(what, p, [&p](std::size_t members) -> options { return with_checks_of(p, members); });
    std::printf("%s, %s members: %s\n", p.name.c_str(),
                wanted.members ? std::to_string(*wanted.members).c_str() : "1 to 7", text(found).c_str());
    // A search that gives up finds nothing; where few are searched, one may.
    CHECK(found.count.gave_up <= 1 + found.count.searches / 1000);
    for (const auto& f : found.failures) {
      std::printf("seed %llu: %s\nreplay: %s\n", static_cast<unsigned long long>(f.seed), f.failure.c_str(),
                  f.replay.c_str());
      FAIL_CHECK(f.failure);
    }
  }
}

TEST_CASE("clusters of other sizes keep their promises too") {
  const auto wanted = wishes_of_environment();
  if (wanted.one_run() || wanted.members)
    return;
  for (const auto& p : wanted.protocols()) {
    for (const std::size_t members : {1, 2, 4, 7}) {
      exploration what;
      what.seeds = wanted.seeds / 20;
      what.members = members;
      const auto found = explore(what, p, with_checks_of(p, members));
      std::printf("%s, %zu members: %s\n", p.name.c_str(), members, text(found).c_str());
      for (const auto& f : found.failures)
        FAIL_CHECK("seed " << f.seed << ": " << f.failure);
    }
  }
}

TEST_CASE("one seed, run twice, gives the same transcript") {
  for (const auto& p : all_protocols())
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const auto s = scenario::from_seed(seed, 3, p.name);
      const auto first = run(s, p, with_checks_of(p, 3));
      const auto second = run(s, p, with_checks_of(p, 3));
      CHECK(first.hash == second.hash);
      CHECK(first.events == second.events);
      CHECK(first.hash != run(scenario::from_seed(seed + 100, 3, p.name), p, with_checks_of(p, 3)).hash);
    }
}
