// What each policy promises, over many seeds.
#include "tests/balancers/crowd.hpp"

#include <cmath>
#include <map>

namespace quorate::testing {

namespace {

/// Pearson's statistic of these counts against equal shares.
double chi_square(const std::map<node_id, std::uint64_t>& counts, std::size_t nodes, std::uint64_t all) {
  const auto expected = static_cast<double>(all) / static_cast<double>(nodes);
  double sum = 0;
  std::uint64_t seen = 0;
  for (const auto& [node, n] : counts) {
    sum += (static_cast<double>(n) - expected) * (static_cast<double>(n) - expected) / expected;
    seen += n;
  }
  REQUIRE(seen == all);
  // Those that were never picked.
  return sum + static_cast<double>(nodes - counts.size()) * expected;
}

/// What equal shares exceed once in a million draws (Wilson and Hilferty's approximation).
double chi_square_limit(std::size_t nodes) {
  const auto freedom = static_cast<double>(nodes - 1);
  const auto a = 2 / (9 * freedom);
  return freedom * std::pow(1 - a + 4.753 * std::sqrt(a), 3);
}

}  // namespace

TEST_CASE("random, rendezvous and power_of_two spread commands evenly (chi-square)") {
  for (const std::string name : {"random", "rendezvous", "power_of_two"})
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      CAPTURE(name);
      CAPTURE(seed);
      prng random{seed};
      crowd nodes{static_cast<std::uint32_t>(2 + seed % 9)};
      const auto p = policy_of(name);
      p->nodes_changed(nodes.nodes);
      std::map<node_id, std::uint64_t> counts;
      for (std::uint64_t i = 0; i < 3'000; ++i)
        ++counts[nodes.pick(*p, key_of(seed * 100'000 + i), random)];
      REQUIRE(chi_square(counts, nodes.nodes.size(), 3'000) < chi_square_limit(nodes.nodes.size()));
    }
}

TEST_CASE("the chi-square test finds a die that is not fair") {
  std::map<node_id, std::uint64_t> counts{{node_id{1}, 1'150}, {node_id{2}, 925}, {node_id{3}, 925}};
  CHECK(chi_square(counts, 3, 3'000) > chi_square_limit(3));
}

TEST_CASE(
    "round_robin gives nobody two more than anybody else, and goes on behind the last when nodes change") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    crowd nodes{static_cast<std::uint32_t>(1 + seed % 9)};
    const auto p = policy_of("round_robin");
    p->nodes_changed(nodes.nodes);
    std::map<node_id, std::uint64_t> counts;
    for (std::uint64_t i = 0; i < 100 + seed; ++i)
      ++counts[nodes.pick(*p, "", random)];
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end(),
                                                   [](auto& a, auto& b) { return a.second < b.second; });
    REQUIRE(counts.size() == nodes.nodes.size());
    REQUIRE(most->second - least->second <= 1);
  }
  crowd four{4};
  prng random{1};
  const auto p = policy_of("round_robin");
  p->nodes_changed(four.nodes);
  REQUIRE(four.pick(*p, "", random) == node_id{1});
  REQUIRE(four.pick(*p, "", random) == node_id{2});
  four.remove(node_id{3});
  p->nodes_changed(four.nodes);
  REQUIRE(four.pick(*p, "", random) == node_id{4});
  REQUIRE(four.pick(*p, "", random) == node_id{1});
}

TEST_CASE("least_connections never picks a node while another has fewer commands, power_of_two stays near") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    crowd nodes{static_cast<std::uint32_t>(2 + seed % 8)};
    const auto least = policy_of("least_connections");
    least->nodes_changed(nodes.nodes);
    for (auto& c : nodes.nodes)
      c.outstanding = random.below(30);
    for (int i = 0; i < 500; ++i) {
      const auto fewest = std::min_element(nodes.nodes.begin(), nodes.nodes.end(), [](auto& a, auto& b) {
                            return a.outstanding < b.outstanding;
                          })->outstanding;
      const auto picked = nodes.pick(*least, "", random);
      auto& c = nodes.nodes[picked.value - 1];
      REQUIRE(c.outstanding == fewest);
      ++c.outstanding;
    }
    // n log log n instead of n log n: after 1,000 commands for each node the fullest has hardly more.
    crowd two{static_cast<std::uint32_t>(3 + seed % 7)};
    const auto p = policy_of("power_of_two");
    p->nodes_changed(two.nodes);
    for (std::size_t i = 0; i < two.nodes.size() * 1'000; ++i)
      static_cast<void>(two.pick(*p, "", random, true));
    for (const auto& c : two.nodes)
      REQUIRE(c.outstanding <= 1'010);
  }
}

TEST_CASE("consistent_hash keeps every node within its bound, whatever the keys are") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const auto percent = random.between(101, 200);
    crowd nodes{static_cast<std::uint32_t>(1 + seed % 9)};
    const auto p = policy_of("consistent_hash", {{"load_percent", std::to_string(percent)}});
    p->nodes_changed(nodes.nodes);
    const auto keys = random.between(1, 50);  // few keys, so that most nodes would be far above
    for (int i = 0; i < 1'000; ++i) {
      const auto all = nodes.outstanding() + 1;
      const auto picked = nodes.pick(*p, key_of(random.below(keys)), random, true);
      const auto bound =
          std::ceil(static_cast<double>(all * percent) / (100.0 * static_cast<double>(nodes.nodes.size())));
      REQUIRE(static_cast<double>(nodes.nodes[picked.value - 1].outstanding) <= bound);
      if (random.chance(50)) {
        auto& c = nodes.nodes[random.below(nodes.nodes.size())];
        c.outstanding -= c.outstanding > 0 ? 1 : 0;
      }
    }
  }
}

TEST_CASE("when one of n nodes goes only its keys move, about K/n of K, and they come back with it") {
  constexpr std::uint64_t keys = 2'000;
  for (const std::string name : {"consistent_hash", "rendezvous"})
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(name);
      CAPTURE(seed);
      prng random{seed};
      crowd nodes{static_cast<std::uint32_t>(2 + seed % 9)};
      const auto n = nodes.nodes.size();
      const auto p = policy_of(name);
      p->nodes_changed(nodes.nodes);
      std::vector<node_id> before;
      for (std::uint64_t k = 0; k < keys; ++k)
        before.push_back(nodes.pick(*p, key_of(seed * 100'000 + k), random));
      const auto gone = nodes.nodes[random.below(n)].node;
      auto fewer = nodes;
      fewer.remove(gone);
      p->nodes_changed(fewer.nodes);
      std::uint64_t moved = 0;
      for (std::uint64_t k = 0; k < keys; ++k) {
        const auto now = fewer.pick(*p, key_of(seed * 100'000 + k), random);
        REQUIRE((now == before[k]) == (before[k] != gone));
        moved += now != before[k] ? 1 : 0;
      }
      // The ring's arcs are random: 100 places a node make them even within some ten percent.
      REQUIRE(static_cast<double>(moved) < 1.45 * keys / static_cast<double>(n));
      p->nodes_changed(nodes.nodes);
      for (std::uint64_t k = 0; k < keys; ++k)
        REQUIRE(nodes.pick(*p, key_of(seed * 100'000 + k), random) == before[k]);
    }
}

TEST_CASE("the ring finds for every key the node that a search through all places finds") {
  prng random{3};
  for (std::uint32_t n = 1; n <= 40; ++n) {
    crowd nodes{n};
    const auto ring = policy_of("consistent_hash", {{"virtual_nodes", std::to_string(1 + n % 7)}});
    ring->nodes_changed(nodes.nodes);
    // The twin: of the nodes' places, taken one node at a time from rings of their own, nobody knows which is
    // next; but leaving any other node out must not move the key.
    for (std::uint64_t k = 0; k < 20; ++k) {
      ring->nodes_changed(nodes.nodes);
      const auto owner = nodes.pick(*ring, key_of(k), random);
      for (const auto& other : nodes.nodes) {
        if (other.node == owner)
          continue;
        crowd pair{1};
        pair.nodes = {std::min(owner, other.node) == owner
                          ? std::vector{balancers::candidate{owner}, balancers::candidate{other.node}}
                          : std::vector{balancers::candidate{other.node}, balancers::candidate{owner}}};
        ring->nodes_changed(pair.nodes);
        REQUIRE(pair.pick(*ring, key_of(k), random) == owner);
      }
    }
  }
}

}  // namespace quorate::testing
