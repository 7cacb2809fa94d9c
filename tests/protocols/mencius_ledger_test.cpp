// What waits for its turn is bounded, and nothing of it is lost.
#include "protocols/mencius/ledger.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using mencius::ledger;
using mencius::slot;

constexpr std::size_t room = 4 * limits::batch_bytes_max;
const mencius::past_limits sizes{.waiting_bytes_max = room};

batch batch_at(slot s, prng& random) {
  return {{node_id{static_cast<std::uint32_t>(s % 3 + 1)}, boot_id{1}, s},
          payload{std::string(1 + random.below(limits::batch_bytes_max), 'x')}};
}

}  // namespace

TEST_CASE("batches that wait for a lane keep no more than so many bytes, and come in order all the same") {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    ledger l{mencius::lanes{{node_id{1}, node_id{2}, node_id{3}}}, 0, sizes};
    constexpr slot end = 60;
    std::map<slot, batch> all;
    for (slot s = 0; s < end; ++s)
      all.emplace(s, batch_at(s, random));
    // Everything but slot 0 is known, in any order: all of it waits.
    std::vector<slot> order;
    for (slot s = 1; s < end; ++s)
      order.push_back(s);
    for (auto i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.below(i)]);
    for (const auto s : order) {
      REQUIRE(l.choose(s, all.at(s).id));
      REQUIRE(l.supply(s, all.at(s).id, all.at(s).body));
      REQUIRE(l.waiting_bytes() <= room + limits::batch_bytes_max);
      REQUIRE(!l.take_next());
    }
    for (const auto& [s, waits] : l.chosen())
      dropped += waits.body.empty() ? 1 : 0;
    // It never asks for what it would not keep: otherwise the same bytes would come again and again.
    for (const auto s : l.missing(64)) {
      l.supply(s, all.at(s).id, all.at(s).body);
      CHECK(!l.chosen().at(s).body.empty());
    }
    REQUIRE(l.choose(0, all.at(0).id));
    REQUIRE(l.supply(0, all.at(0).id, all.at(0).body));
    slot expected = 0;
    for (std::size_t rounds = 0; expected < end; ++rounds) {
      REQUIRE(rounds < 100);
      while (auto next = l.take_next()) {
        REQUIRE(next->first == expected);
        REQUIRE(next->second.body.view() == all.at(expected).body.view());
        ++expected;
      }
      for (const auto s : l.missing(64))
        l.supply(s, all.at(s).id, all.at(s).body);
    }
    CHECK(l.waiting_bytes() == 0);
  }
  CHECK(dropped > 100);  // the limit was at work
}

TEST_CASE("bytes that wait are counted anew where the ledger goes elsewhere") {
  prng random{1};
  ledger l{mencius::lanes{{node_id{1}, node_id{2}, node_id{3}}}, 0, sizes};
  std::size_t bytes = 0;
  for (slot s = 0; s < 3; ++s) {
    const auto b = batch_at(s, random);
    l.choose(s, b.id);
    l.supply(s, b.id, b.body);
    bytes += b.body.size();
  }
  CHECK(l.waiting_bytes() == bytes);
  while (l.take_next()) {
  }
  CHECK(l.waiting_bytes() == 0);
  l.go_to(0);
  CHECK(l.waiting_bytes() == bytes);
  l.go_to(9);
  CHECK(l.waiting_bytes() == 0);
}

}  // namespace quorate::testing
