#include "protocols/quorum.hpp"

#include <doctest/doctest.h>

#include <bit>

namespace quorate {

TEST_CASE("a majority of 1 to 9 members is what the table says") {
  static constexpr std::size_t sizes[] = {1, 2, 2, 3, 3, 4, 4, 5, 5};
  for (std::size_t n = 1; n <= 9; ++n) {
    const majority q{n};
    CHECK(q.size() == sizes[n - 1]);
    CHECK(!q.reached(0));
    CHECK(!q.reached(q.size() - 1));
    CHECK(q.reached(q.size()));
    CHECK(q.reached(n));
  }
}

TEST_CASE("any two majorities of the same members share one") {
  for (std::uint32_t n = 1; n <= 9; ++n) {
    const majority q{n};
    const auto sets = 1U << n;
    for (std::uint32_t a = 0; a < sets; ++a)
      for (std::uint32_t b = 0; b < sets; ++b)
        if (q.reached(static_cast<std::size_t>(std::popcount(a))) &&
            q.reached(static_cast<std::size_t>(std::popcount(b))))
          REQUIRE((a & b) != 0);
  }
}

TEST_CASE("a majority goes on while a minority is away, and two halves cannot both decide") {
  for (std::size_t n = 1; n <= 9; ++n) {
    const majority q{n};
    CHECK(q.reached(n - (n - 1) / 2));
    if (n % 2 == 0)
      CHECK(!q.reached(n / 2));
  }
}

TEST_CASE("a member's vote counts once") {
  vote_count votes;
  CHECK(votes.add(node_id{2}));
  CHECK(!votes.add(node_id{2}));
  CHECK(votes.add(node_id{3}));
  CHECK(votes.size() == 2);
  CHECK(votes.has(node_id{2}));
  CHECK(!votes.has(node_id{1}));
  votes.clear();
  CHECK(votes.size() == 0);
}

}  // namespace quorate
