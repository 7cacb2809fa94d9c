// What a balancer knows of each node.
#pragma once

#include "balancers/messages.hpp"

namespace quorate::balancers {

/// An account per member: whether it may be picked, and what it owes.
/// Invariant: outstanding is what was handed over and has not come back through feedback; never below 0.
class accounts {
public:
  /// `outstanding_max`: commands of ours with one node; at that it is full.
  accounts(const std::vector<node_id>& members, node_id self, std::uint64_t outstanding_max);

  /// \returns the nodes that could be reached until now.
  std::vector<node_id> see(const nodes_seen& msg);
  void learn(const feedback& msg);
  void hand_over(node_id node);
  /// Another policy begins: shares are counted anew.
  void begin();

  /// Those that may be picked, but for these.
  [[nodiscard]] std::vector<candidate> pickable(const std::vector<node_id>& avoid) const;
  [[nodiscard]] const candidate& of(node_id node) const { return all_.at(node).known; }
  [[nodiscard]] bool full(node_id node) const;
  [[nodiscard]] std::map<node_id, balancer_figures::account> figures() const;

private:
  struct account {
    candidate known;
    bool reachable = false;
    std::uint32_t fill_percent = 0;
    std::uint64_t taken = 0;
    std::uint64_t failed = 0;
  };

  [[nodiscard]] bool full(const account& a) const;

  std::map<node_id, account> all_;
  std::uint64_t outstanding_max_;
};

}  // namespace quorate::balancers
