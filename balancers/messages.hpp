// What edge, balancer and node say to one another about where a command goes. Only `handover` crosses nodes.
//
//   edge          balancer            node of n2      replica of n2
//   |----route------->|                    |                |
//   |                 |=====handover======>|                |      one per picked node; to this very node it
//   is a
//   |<----routed------|                    |---submission-->|      submission to the replica
//   |<========================outcomes======================|      not through the balancer
//   |---feedback----->|                                            one per turn
#pragma once

#include "actors/traffic.hpp"
#include "balancers/contract.hpp"

namespace quorate {

/// edge -> balancer: choose a node for each of these and hand them over.
struct route {
  static constexpr std::string_view name = "route";
  std::vector<command> commands;
  std::vector<node_id> avoid;  ///< they have had these commands, and have not answered
};

/// balancer -> edge: where they went. Each command of a `route` is named once.
struct routed {
  static constexpr std::string_view name = "routed";
  struct group {
    node_id node;
    std::vector<command_id> ids;
  };
  std::vector<group> list;
  std::vector<command_id> nowhere;  ///< nobody could take these: they have left for nowhere
};

/// balancer -> node of any node: for its replica. May be lost, late, or there twice.
struct handover {
  static constexpr std::string_view name = "handover";
  std::vector<command> commands;
};

/// balancer -> edge: how it is to hand over from now on.
struct route_mode {
  static constexpr std::string_view name = "route_mode";
  bool direct = true;  ///< to this node's replica, without asking
};

/// balancer -> edge: there may be room again for what went nowhere.
struct route_again {
  static constexpr std::string_view name = "route_again";
};

/// balancer -> edge: these nodes seem to be dead, and what they have got with them.
struct nodes_lost {
  static constexpr std::string_view name = "nodes_lost";
  std::vector<node_id> list;
};

/// edge -> balancer: what became of commands since the last one. Every command of a `routed` is counted once.
struct feedback {
  static constexpr std::string_view name = "feedback";
  struct entry {
    std::uint64_t taken = 0;     ///< handed to it by the edge itself (`route_mode`)
    std::uint64_t answered = 0;  ///< by this very node
    std::uint64_t failed = 0;    ///< not answered within the edge's patience
    std::uint64_t released = 0;  ///< settled in another way, which says nothing about the node
    duration waited{};           ///< of all that were answered or failed, together
  };
  std::map<node_id, entry> of;
};

/// membership -> balancer: whom this node hears, and how full each node says it is.
struct nodes_seen {
  static constexpr std::string_view name = "nodes_seen";
  struct state {
    bool reachable = false;
    std::uint32_t fill_percent = 0;  ///< of the commands that it may have waiting; from 100 on it is full
  };
  std::map<node_id, state> of;  ///< this node too
};

/// An operator -> balancer: another policy from now on.
struct policy_change {
  static constexpr std::string_view name = "policy_change";
  balancers::chosen_policy chosen;
};

/// balancer -> node: for its status page.
struct balancer_figures {
  static constexpr std::string_view name = "balancer_figures";
  struct account {
    bool pickable = false;
    std::uint64_t taken = 0;  ///< commands since this policy was chosen
    std::uint64_t outstanding = 0;
    std::uint64_t failed = 0;  ///< since this node started
    duration latency{};        ///< recent; 0: not known
    double failures = 0;       ///< recent share
  };
  std::string policy;
  balancers::policy_options options;
  std::map<node_id, account> of;
};

QUORATE_LOCAL_MESSAGE(route, balancer)
QUORATE_LOCAL_MESSAGE(routed, edge)
QUORATE_LOCAL_MESSAGE(handover, node)
QUORATE_LOCAL_MESSAGE(route_mode, edge)
QUORATE_LOCAL_MESSAGE(route_again, edge)
QUORATE_LOCAL_MESSAGE(nodes_lost, edge)
QUORATE_LOCAL_MESSAGE(feedback, balancer)
QUORATE_LOCAL_MESSAGE(nodes_seen, balancer)
QUORATE_LOCAL_MESSAGE(policy_change, balancer)
QUORATE_LOCAL_MESSAGE(balancer_figures, node)

template <class Inspector>
bool inspect(Inspector& f, handover& x) {
  return f.object(x).fields(f.field("commands", x.commands));
}

}  // namespace quorate
