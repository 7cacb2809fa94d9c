// The ranges of mencius, compared with a row of single cells.
#include "protocols/mencius/interval_map.hpp"

#include "actors/prng.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace quorate::testing {

namespace {

constexpr std::uint64_t width = 64;
constexpr std::uint64_t values = 4;

using ranges = mencius::interval_map<std::uint64_t>;
using ends = std::map<std::uint64_t, ranges::range>;

/// The dumb twin: what each number has.
struct cells {
  std::vector<std::optional<std::uint64_t>> at = std::vector<std::optional<std::uint64_t>>(width);

  template <class F>
  void each(std::uint64_t begin, std::uint64_t end, F f) {
    for (auto i = begin; i < end; ++i)
      f(at[i]);
  }

  [[nodiscard]] ends as_ranges() const {
    ends out;
    for (std::uint64_t i = 0; i < width;) {
      auto end = i + 1;
      while (end < width && at[end] == at[i])
        ++end;
      if (at[i])
        out.emplace(i, ranges::range{end, *at[i]});
      i = end;
    }
    return out;
  }
};

ends as_ranges(const ranges& r) {
  return {r.begin(), r.end()};
}

/// Both after the same changes, with everything that can be asked compared.
class pair {
public:
  explicit pair(std::uint64_t seed) : random_(seed) {}

  void step() {
    const auto a = random_.below(width + 1);
    const auto b = random_.chance(20) ? a + 1 : random_.below(width + 1);
    const auto begin = std::min(a, b);
    const auto end = std::min(std::max(a, b), width);
    const auto value = random_.below(values);
    const auto before = as_ranges(map_);
    const auto touched = change(begin, end, value);
    CHECK(as_ranges(map_) == twin_.as_ranges());
    check_span(before, touched);
    compare(begin, end);
  }

private:
  ranges::span change(std::uint64_t begin, std::uint64_t end, std::uint64_t value) {
    switch (random_.below(3)) {
    case 0:
      twin_.each(begin, end, [&](auto& cell) { cell = value; });
      return map_.assign(begin, end, value);
    case 1:
      twin_.each(begin, end, [&](auto& cell) { cell = std::max(cell.value_or(value), value); });
      return map_.raise(begin, end, value);
    default:
      twin_.each(begin, end, [](auto& cell) { cell.reset(); });
      return map_.clear(begin, end);
    }
  }

  /// Whatever is different begins inside of the span.
  void check_span(const ends& before, const ranges::span& touched) {
    const auto after = as_ranges(map_);
    const auto outside = [&](ends list) {
      std::erase_if(list,
                    [&](const auto& one) { return one.first >= touched.from && one.first <= touched.to; });
      return list;
    };
    CHECK(outside(before) == outside(after));
  }

  void compare(std::uint64_t begin, std::uint64_t end) {
    const auto at = random_.below(width);
    const auto* found = map_.find(at);
    CHECK((found != nullptr ? std::optional{*found} : std::nullopt) == twin_.at[at]);

    auto gap = at;
    while (gap < width && twin_.at[gap])
      ++gap;
    CHECK(map_.gap_from(at) == gap);

    std::optional<std::uint64_t> highest;
    twin_.each(begin, end, [&](const auto& cell) { highest = std::max(highest, cell); });
    CHECK(map_.highest(begin, end) == highest);

    const auto whole = twin_.as_ranges();
    const auto from = map_.first_from(at);
    const auto expected = whole.lower_bound(at);
    REQUIRE((from == map_.end()) == (expected == whole.end()));
    if (from != map_.end())
      CHECK(*from == *expected);

    const auto behind = map_.first_behind(at);
    auto wanted = whole.begin();
    while (wanted != whole.end() && wanted->second.end <= at)
      ++wanted;
    REQUIRE((behind == map_.end()) == (wanted == whole.end()));
    if (behind != map_.end())
      CHECK(*behind == *wanted);

    CHECK(map_.size() == whole.size());
    CHECK(map_.empty() == whole.empty());
  }

  prng random_;
  ranges map_;
  cells twin_;
};

}  // namespace

TEST_CASE("an interval map does what a row of cells does, over thousands of seeded changes") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    pair both{seed};
    for (int i = 0; i < 100; ++i)
      both.step();
  }
}

TEST_CASE("a range of a million numbers is one entry, and so are two that touch and have equal values") {
  ranges map;
  map.assign(1'000'000, 2'000'000, 1);
  map.assign(3'000'000, 4'000'000, 1);
  CHECK(map.size() == 2);
  map.assign(2'000'000, 3'000'000, 1);
  CHECK(map.size() == 1);
  CHECK(map.gap_from(1'000'000) == 4'000'000);
  map.raise(0, 5'000'000, 0);
  CHECK(as_ranges(map) ==
        ends{{0, {1'000'000, 0}}, {1'000'000, {4'000'000, 1}}, {4'000'000, {5'000'000, 0}}});
}

TEST_CASE("an empty range changes nothing") {
  ranges map;
  map.assign(5, 10, 1);
  map.assign(7, 7, 2);
  map.raise(8, 6, 2);
  map.clear(9, 9);
  CHECK(as_ranges(map) == ends{{5, {10, 1}}});
}

}  // namespace quorate::testing
