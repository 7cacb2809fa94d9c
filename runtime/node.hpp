// Assembles a node's roles: the same in a process, in a local cluster and in the simulator.
#pragma once

#include "actors/role.hpp"
#include "actors/role_limits.hpp"
#include "actors/state_machine.hpp"
#include "actors/traffic.hpp"
#include "balancers/balancer.hpp"
#include "protocols/contract.hpp"
#include "runtime/answer_budget.hpp"
#include "runtime/edge.hpp"
#include "runtime/founding.hpp"
#include "runtime/replica_log.hpp"
#include "runtime/sessions.hpp"
#include "runtime/timings.hpp"
#include "sync/registry.hpp"

namespace quorate {

/// Everything that a node is made from.
struct node_setup {
  std::string cluster;        ///< the cluster's name
  /// What was founded on this disk, and where nothing was, the spec's, numbered by name (founded_spec.hpp);
  /// the same holds for protocol, its options and machine. Disks are not known yet (0).
  std::vector<member> nodes;
  std::vector<member> strangers;                 ///< nodes of the spec that were not founded
  std::map<std::string, std::string> addresses;  ///< of all nodes that the spec gives one, by name
  node_id self;
  disk_id disk;
  boot_id boot;  ///< saved before this node is made
  const protocol* ordering = nullptr;
  std::map<std::string, std::string> options;  ///< of the protocol
  const sync::strategy* catching_up = nullptr;
  balancers::chosen_policy balancing;  ///< which node takes a command; see balancers/registry.hpp
  machine_factory make_machine;
  std::string machine;  ///< its name, which all nodes must agree on
  node_timings timings;
  log_limits log;
  edge_limits clients;
  session_limits sessions;  ///< the same on all nodes; others than the default are for tests
  role_limits memory;       ///< of the group's roles, for simulations
  std::shared_ptr<answer_budget> answers;   ///< memory for answers to reads; null: the node's own
  quorate::store* state = nullptr;          ///< outlives the node's roles
  std::shared_ptr<const link_account> account = std::make_shared<instant_links>();
  const quorate::journal* saved = nullptr;  ///< what was saved before this start; outlives the node
};

/// One node: founding and edge from the start, and the group's roles as soon as the cluster is founded. The
/// runner routes the messages for port::node here. Crash is the only way to stop it.
class node {
public:
  node(node_setup setup, role_runner& runner);

  /// Starts the roles that need no cluster. Where founding finds itself founded on the disk it says so, and
  /// the group starts without waiting for anybody.
  void start();
  void on(const founded& message);

  [[nodiscard]] bool has_group() const { return !members_.empty(); }
  [[nodiscard]] const std::vector<member>& members() const { return members_; }

private:
  [[nodiscard]] role_identity identity(port role) const;
  void recover_and_run(std::unique_ptr<any_role> role);

  node_setup setup_;
  role_runner& runner_;
  std::uint64_t cluster_;
  std::vector<member> members_;  ///< empty until founded
};

}  // namespace quorate
