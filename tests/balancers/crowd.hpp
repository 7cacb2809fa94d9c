// A policy by itself: nodes that a test makes up, and a view of them that the test keeps.
#pragma once

#include "balancers/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace quorate::testing {

[[nodiscard]] inline std::unique_ptr<balancers::policy>
policy_of(const std::string& name, const balancers::policy_options& given = {}) {
  auto chosen = choose_balancer(name, given);
  REQUIRE(std::holds_alternative<balancers::chosen_policy>(chosen));
  return std::get<balancers::chosen_policy>(chosen).make();
}

/// The nodes 1 to n, the first of them the balancer's own.
class crowd {
public:
  explicit crowd(std::uint32_t n) {
    for (std::uint32_t i = 1; i <= n; ++i)
      nodes.push_back({node_id{i}, i == 1, 0, {}, 0});
  }

  [[nodiscard]] std::uint64_t outstanding() const {
    std::uint64_t sum = 0;
    for (const auto& c : nodes)
      sum += c.outstanding;
    return sum;
  }
  void remove(node_id gone) {
    std::erase_if(nodes, [&](const auto& c) { return c.node == gone; });
  }
  /// Whom `p` picks; it counts as outstanding from then on where `keep`.
  node_id pick(balancers::policy& p, std::string_view key, prng& random, bool keep = false) {
    const auto at = p.pick(key, {nodes, outstanding()}, random);
    REQUIRE(at < nodes.size());
    nodes[at].outstanding += keep ? 1 : 0;
    return nodes[at].node;
  }

  std::vector<balancers::candidate> nodes;
};

[[nodiscard]] inline std::string key_of(std::uint64_t n) {
  return "key-" + std::to_string(n);
}

}  // namespace quorate::testing
