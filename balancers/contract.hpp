// The plug-in contract of a balancer's policy.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "actors/prng.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace quorate::balancers {

/// A node that may be picked, and what this node's balancer knows of it.
struct candidate {
  node_id node;
  bool self = false;              ///< the balancer's own node
  std::uint64_t outstanding = 0;  ///< commands that were handed to it and are not settled
  duration latency{};             ///< from handing over to outcome, the recent ones count most; 0: not known
  double failures = 0;            ///< share of the recent ones that it did not answer in time, 0 to 1
};

/// All nodes that may be picked: neither dead nor suspected nor full.
struct choice {
  std::span<const candidate> nodes;  ///< in the order of their ids, at least one
  std::uint64_t outstanding = 0;     ///< of all of them together
};

/// Picks a node for each command. It has no clock and no randomness of its own, and lives on one thread.
class policy {
public:
  policy() = default;
  policy(const policy&) = delete;
  policy& operator=(const policy&) = delete;
  virtual ~policy() = default;

  /// Whether it always picks its own node. Then it is never asked, and commands skip the balancer.
  [[nodiscard]] virtual bool stays_home() const { return false; }
  /// Other nodes may be picked from now on. Called before the first `pick`, too.
  virtual void nodes_changed(std::span<const candidate> nodes) { static_cast<void>(nodes); }
  /// The position in `from.nodes` of the node that is to take a command with this routing key.
  /// \pre `nodes_changed` was called with the same nodes
  [[nodiscard]] virtual std::size_t pick(std::string_view key, const choice& from, prng& random) = 0;
};

using policy_options = std::map<std::string, std::string>;

/// A policy that was chosen, by name or by a program that brings its own.
struct chosen_policy {
  std::string name;
  policy_options options;  ///< as they were given
  std::function<std::unique_ptr<policy>()> make;
};

}  // namespace quorate::balancers
