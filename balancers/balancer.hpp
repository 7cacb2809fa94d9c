// Picks the node that is to take a command.
#pragma once

#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "balancers/accounts.hpp"
#include "balancers/messages.hpp"

namespace quorate {

struct balancer_setup {
  std::vector<member> members;
  node_id self;
  balancers::chosen_policy chosen;
  std::uint64_t outstanding_max = 4'096;  ///< commands of ours with one node; at that it is full
};

/// Picks a node for each command that the edge brings, from those that are neither dead nor suspected nor
/// full, and hands over. Outcomes go straight back to the edge, which tells what became of commands. A
/// belief, never a fact: whether a command is executed, and how often, does not depend on anything here.
/// Invariant: the edge hears of every command that was handed over where it went.
/// Source: balancers/docs/2026-11-24-where-a-command-goes.md.
class balancer {
public:
  using out = outbox<submission, handover, routed, route_mode, route_again, nodes_lost, balancer_figures>;
  using handles = messages<route, feedback, nodes_seen, policy_change>;
  static constexpr port place = port::balancer;

  explicit balancer(balancer_setup setup);

  void start(out& o);
  void on(node_id from, const route& msg, out& o);
  void on(node_id from, const feedback& msg, out& o);
  void on(node_id from, const nodes_seen& msg, out& o);
  void on(node_id from, const policy_change& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  void choose(const balancers::chosen_policy& chosen, out& o);
  /// Makes `nodes` what may be picked, and tells the policy where that has changed.
  void offer(std::vector<balancers::candidate> nodes);
  void wake_edge(out& o);
  void arm(out& o);

  balancer_setup setup_;
  balancers::accounts accounts_;
  std::unique_ptr<balancers::policy> policy_;
  std::vector<balancers::candidate> offered_;
  std::uint64_t outstanding_ = 0;  ///< of those that are offered
  bool offered_once_ = false;
  bool turned_away_ = false;  ///< the edge has commands that went nowhere
  bool armed_ = false;
};

}  // namespace quorate
