#include "protocols/barriers.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr node_id n1{1};
constexpr node_id n2{2};
const std::vector<node_id> members{n1, n2, node_id{3}};

/// The questions that are asked again in the next `time`, looked for every 5 ms.
std::size_t asked_again(open_barriers& b, time_point& now, duration time) {
  std::size_t count = 0;
  for (const auto end = now + time; now < end; now += 5ms)
    b.ask_again(now, members, [&](std::uint64_t, const auto& whom) { count += whom.size(); });
  return count;
}

}  // namespace

TEST_CASE("a barrier that is asked for again is the one that is open: its answers go on counting") {
  open_barriers b{majority{3}};
  const auto number = b.open(token{7}, 0ms);
  REQUIRE(number);
  CHECK(!b.answered(*number, n1, 5));
  CHECK(!b.open(token{7}, 100ms));
  CHECK(b.answered(*number, n2, 3) == 5);
  CHECK(b.reached(4).empty());
  CHECK(b.reached(5) == std::vector{token{7}});
  CHECK(b.empty());
}

TEST_CASE("a newer barrier takes the place of an older one; our own question stays") {
  open_barriers b{majority{3}};
  const auto own = b.open_own(0ms);
  const auto older = b.open(token{1}, 0ms);
  const auto newer = b.open(token{2}, 1ms);
  REQUIRE((older && newer));
  CHECK(!b.answered(*older, n1, 9));
  CHECK(!b.answered(*older, n2, 9));
  CHECK(!b.answered(*newer, n1, 2));
  CHECK(b.answered(*newer, n2, 2) == 2);
  CHECK(b.reached(2) == std::vector{token{2}});
  CHECK(!b.empty());
  CHECK(!b.open(token{0}, 2ms));
  CHECK(!b.answered(own, n1, 0));
  CHECK(b.answered(own, n2, 1) == 1);
  CHECK(b.reached(1).empty());
  CHECK(b.empty());
}

TEST_CASE("the token 0 closes what is open") {
  open_barriers b{majority{3}};
  REQUIRE(b.open(token{1}, 0ms));
  CHECK(!b.open(token{}, 1ms));
  CHECK(b.empty());
}

TEST_CASE("however often a replica asks, the questions a second stay the same") {
  open_barriers b{majority{3}};
  auto now = time_point{1s};
  std::uint64_t tokens = 0;
  std::size_t first = 0;
  for (int second = 0; second < 60; ++second) {
    std::size_t asked = 0;
    for (int i = 0; i < 10; ++i) {
      // Reads expire and others come; an open one is asked for again.
      if (i % 5 == 0)
        ++tokens;
      static_cast<void>(b.open(token{tokens}, now));
      asked += asked_again(b, now, 100ms);
    }
    if (second == 0)
      first = asked;
    CHECK(asked <= first + 3);
  }
}

}  // namespace quorate::testing
