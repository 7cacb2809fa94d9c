#include "actors/prng.hpp"

#include <doctest/doctest.h>

#include <set>

namespace quorate::testing {

TEST_CASE("one seed gives one sequence, on every machine") {
  // The first numbers of xoshiro256** behind splitmix64 with seed 0.
  prng zero{0};
  CHECK(zero.next() == 0x99ec5f36cb75f2b4ULL);
  CHECK(zero.next() == 0xbf6e1f784956452aULL);
  CHECK(zero.next() == 0x1a5f849d4933e6e0ULL);

  prng a{42};
  prng b{42};
  for (int i = 0; i < 1'000; ++i)
    REQUIRE(a.next() == b.next());
}

TEST_CASE("neighbouring seeds have nothing in common") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed)
    seen.insert(prng{seed}.next());
  CHECK(seen.size() == 1'000);
}

TEST_CASE("numbers below a bound stay below it and reach every value") {
  prng random{1};
  for (const std::uint64_t bound : {1ULL, 2ULL, 7ULL, 100ULL}) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 5'000; ++i)
      seen.insert(random.below(bound));
    CHECK(seen.size() == bound);
    CHECK(*seen.rbegin() == bound - 1);
  }
  CHECK(random.below(0) == 0);
  CHECK(random.below(~0ULL) < ~0ULL);
}

TEST_CASE("numbers between two bounds include both") {
  prng random{2};
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i)
    seen.insert(random.between(5, 9));
  CHECK(seen == std::set<std::uint64_t>{5, 6, 7, 8, 9});
  CHECK(random.between(3, 3) == 3);
}

TEST_CASE("a chance of so many percent comes true about that often") {
  prng random{3};
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(!random.chance(0));
    CHECK(random.chance(100));
    hits += random.chance(2.5) ? 1 : 0;
  }
  CHECK(hits > 180);
  CHECK(hits < 330);
}

}  // namespace quorate::testing
