// Assembles a node's roles: the same in a process, in a local cluster and in the simulator.
#pragma once

#include "actors/role.hpp"
#include "actors/state_machine.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "runtime/timings.hpp"

namespace quorate {

namespace wire {
class Founding;
}

/// founding -> node: the cluster has these members, durably, on this node.
struct founded {
  static constexpr std::string_view name = "founded";
  std::vector<member> members;
  std::uint64_t cluster = 0;  ///< stamped on every message from now on
};
QUORATE_LOCAL_MESSAGE(founded, node)

/// Everything that a node is made from.
struct node_setup {
  std::string cluster;        ///< the cluster's name
  std::vector<member> nodes;  ///< ids 1, 2, … in the spec's order; disks are not known yet (0)
  node_id self;
  disk_id disk;
  boot_id boot;  ///< saved before this node is made
  const protocol* ordering = nullptr;
  std::map<std::string, std::string> options;  ///< of the protocol
  machine_factory make_machine;
  std::string machine;  ///< its name, which all nodes must agree on
  node_timings timings;
  quorate::store* state = nullptr;          ///< outlives the node
  const quorate::journal* saved = nullptr;  ///< what was saved before this start; outlives the node
};

/// One node: founding and membership from the start, and the group's roles as soon as the cluster is founded.
/// The runner routes messages for port::node to `on`. Crash is the only way to stop it.
class node {
public:
  node(node_setup setup, role_runner& runner);

  /// Starts the roles that need no cluster: founding, membership, edge. Where founding finds itself founded
  /// on the disk, it says so, and the group starts without waiting for anybody.
  void start();
  void on(node_id from, const founded& message);

private:
  [[nodiscard]] role_identity identity(port role) const;

  node_setup setup_;
  role_runner& runner_;
  std::uint64_t cluster_;
  std::vector<member> members_;
  std::unique_ptr<state_machine> machine_;
};

}  // namespace quorate
