#include "actors/timers.hpp"

#include "actors/prng.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

constexpr time_point at(std::int64_t n) {
  return time_point{n};
}

}  // namespace

TEST_CASE("timers fire once, the earliest first, and not before they are due") {
  timers t;
  CHECK(!t.next());
  CHECK(!t.pop(at(100)));
  t.set(timer_tag{1}, at(30));
  t.set(timer_tag{2}, at(10));
  t.set(timer_tag{3}, at(20));
  CHECK(t.next() == at(10));
  CHECK(!t.pop(at(9)));
  CHECK(t.pop(at(25)) == timer_tag{2});
  CHECK(t.pop(at(25)) == timer_tag{3});
  CHECK(!t.pop(at(25)));
  CHECK(t.next() == at(30));
  CHECK(t.pop(at(30)) == timer_tag{1});
  CHECK(!t.next());
}

TEST_CASE("setting a timer again moves it, cancelling removes it") {
  timers t;
  t.set(timer_tag{1}, at(10));
  t.set(timer_tag{1}, at(50));
  t.set(timer_tag{2}, at(20));
  CHECK(t.next() == at(20));
  t.cancel(timer_tag{2});
  t.cancel(timer_tag{9});
  CHECK(t.next() == at(50));
  CHECK(!t.pop(at(49)));
  t.set(timer_tag{1}, at(5));
  CHECK(t.pop(at(5)) == timer_tag{1});
  CHECK(!t.pop(at(1'000)));
}

TEST_CASE("timers agree with a list that is searched") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    prng random{seed};
    timers t;
    std::map<std::uint64_t, std::int64_t> twin;
    std::int64_t now = 0;
    for (int step = 0; step < 200; ++step) {
      const auto tag = random.below(6);
      switch (random.below(4)) {
      case 0:
      case 1: {
        const auto due = now + static_cast<std::int64_t>(random.below(20));
        t.set(timer_tag{tag}, at(due));
        twin[tag] = due;
        break;
      }
      case 2:
        t.cancel(timer_tag{tag});
        twin.erase(tag);
        break;
      default:
        now += static_cast<std::int64_t>(random.below(10));
        while (const auto fired = t.pop(at(now))) {
          REQUIRE_MESSAGE(twin.contains(fired->value), "seed " << seed);
          const auto due = twin.at(fired->value);
          CHECK(due <= now);
          for (const auto& [other, when] : twin)
            CHECK(when >= due);
          twin.erase(fired->value);
        }
        for (const auto& [other, when] : twin)
          CHECK_MESSAGE(when > now, "seed " << seed);
      }
    }
  }
}

}  // namespace quorate::testing
