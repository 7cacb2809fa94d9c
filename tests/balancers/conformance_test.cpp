// What every policy of the registry has to do, whatever else it promises.
#include "tests/balancers/crowd.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

/// Picks under a seed while nodes come and go and commands are settled.
std::vector<node_id> picks_of(const std::string& name, std::uint64_t seed) {
  prng plan{seed};
  prng random{seed * 3 + 1};
  const auto p = policy_of(name);
  crowd all{static_cast<std::uint32_t>(plan.between(1, 9))};
  std::vector<node_id> picked;
  for (int round = 0; round < 20; ++round) {
    // Some are dead, suspected or full.
    auto up = all;
    for (const auto& c : all.nodes)
      if (up.nodes.size() > 1 && plan.chance(30))
        up.remove(c.node);
    for (auto& c : up.nodes) {
      c.latency = std::chrono::microseconds{plan.below(20'000)};
      c.failures = plan.chance(20) ? 1.0 : 0.0;
      c.outstanding = plan.below(50);
    }
    p->nodes_changed(up.nodes);
    std::set<node_id> there;
    for (const auto& c : up.nodes)
      there.insert(c.node);
    for (int i = 0; i < 50; ++i) {
      picked.push_back(up.pick(*p, key_of(plan.below(100)), random, true));
      REQUIRE(there.contains(picked.back()));
    }
  }
  return picked;
}

}  // namespace

TEST_CASE("no policy picks a node that is not there, and the same seed gives the same picks") {
  for (const auto& b : all_balancers()) {
    const std::string name{b.name};
    CAPTURE(name);
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      CAPTURE(seed);
      REQUIRE(picks_of(name, seed) == picks_of(name, seed));
    }
  }
}

TEST_CASE("with one node there is no choice") {
  for (const auto& b : all_balancers()) {
    CAPTURE(b.name);
    const auto p = policy_of(std::string{b.name});
    crowd one{1};
    prng random{5};
    p->nodes_changed(one.nodes);
    for (std::uint64_t i = 0; i < 100; ++i)
      REQUIRE(one.pick(*p, key_of(i), random, true) == node_id{1});
  }
}

TEST_CASE("every policy but local gives every node a part of many keys") {
  for (const auto& b : all_balancers()) {
    CAPTURE(b.name);
    const auto p = policy_of(std::string{b.name});
    crowd nodes{5};
    prng random{7};
    p->nodes_changed(nodes.nodes);
    std::map<node_id, int> taken;
    for (std::uint64_t i = 0; i < 5'000; ++i)
      ++taken[nodes.pick(*p, key_of(i), random, true)];
    if (p->stays_home())
      CHECK(taken == std::map<node_id, int>{{node_id{1}, 5'000}});
    else
      for (const auto& c : nodes.nodes)
        CHECK(taken[c.node] > 500);
  }
}

TEST_CASE("commands without a key are taken too") {
  for (const auto& b : all_balancers()) {
    CAPTURE(b.name);
    const auto p = policy_of(std::string{b.name});
    crowd nodes{3};
    prng random{7};
    p->nodes_changed(nodes.nodes);
    for (int i = 0; i < 1'000; ++i)
      static_cast<void>(nodes.pick(*p, "", random, true));
    CHECK(nodes.outstanding() == 1'000);
  }
}

TEST_CASE("every policy names an option that it does not have") {
  for (const auto& b : all_balancers()) {
    CAPTURE(b.name);
    CHECK(!b.check_options({}));
    const auto wrong = b.check_options({{"no_such_option", "1"}});
    REQUIRE(wrong);
    CHECK(wrong->code == errc::bad_config);
    CHECK(wrong->message.find("no_such_option") != std::string::npos);
    CHECK(!b.summary.empty());
  }
}

TEST_CASE("options out of range, and names that are not known, are refused") {
  const auto message = [](const std::string& name, const balancers::policy_options& given) {
    const auto chosen = choose_balancer(name, given);
    const auto* wrong = std::get_if<failure>(&chosen);
    return wrong ? wrong->message : std::string{};
  };
  CHECK(message("dice", {}) ==
        "there is no policy \"dice\"; known: local, random, round_robin, least_connections, power_of_two, "
        "consistent_hash, rendezvous, adaptive");
  CHECK(message("consistent_hash", {{"virtual_nodes", "0"}}) ==
        "consistent_hash: option virtual_nodes must be a number from 1 to 1000, not \"0\"");
  CHECK(message("consistent_hash", {{"load_percent", "100"}}) != "");
  CHECK(message("adaptive", {{"explore_percent", "many"}}) ==
        "adaptive: option explore_percent must be a number from 1 to 50, not \"many\"");
  CHECK(message("consistent_hash", {{"load_percent", "150"}, {"virtual_nodes", "10"}}) == "");
  CHECK(message("adaptive", {{"explore_percent", "10"}, {"failure_weight", "0"}}) == "");
}

}  // namespace quorate::testing
