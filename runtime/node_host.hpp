// Runs one node's roles as CAF actors.
#pragma once

#include "actors/shell.hpp"
#include "runtime/node.hpp"
#include "runtime/status_board.hpp"
#include "runtime/type_ids.hpp"
#include "runtime/vital_parts.hpp"

#include <caf/actor_system.hpp>

namespace quorate {

/// Registers every message type of ours with CAF. Call it once, before any `caf::actor_system_config` is
/// made.
void register_messages();

struct node_host_setup {
  node_setup node;                                ///< what `saved` and `state` point to belongs into `kept`
  std::shared_ptr<quorate::links> links;          ///< where the roles find those of other nodes
  std::shared_ptr<journal> target;                ///< the same as node.saved
  std::vector<std::shared_ptr<const void>> kept;  ///< owners of node.saved and node.state
  std::uint64_t seed = 1;
  caf::execution_unit* loop = nullptr;  ///< runs what does not block; null: the scheduler does
  bool threads = true;  ///< what may block gets a thread of its own; false under a deterministic scheduler
  std::function<void(severity, std::string_view place, const std::string& line)> log;
  std::function<void(const std::string& message)> fatal;
  /// A role has started: tell other nodes. Called from the node's actor.
  std::function<void(const role_address&, const caf::strong_actor_ptr&)> published;
  /// Answers to clients. Called from the gateway's actor.
  std::function<void(std::vector<client_reply>)> replies;
};

/// A node's actors: node, gateway, journal and all roles. Destroying it ends them; where one of them ends
/// otherwise, `fatal` is called with its name.
class node_host {
public:
  node_host(caf::actor_system& system, node_host_setup setup);
  ~node_host();
  node_host(const node_host&) = delete;
  node_host& operator=(const node_host&) = delete;

  /// Hands requests to the node's edge. From any thread.
  void submit(std::vector<client_request> requests);
  /// Another balancing policy from now on, for what this node's clients send. Fails with errc::not_founded
  /// before there is a cluster. From any thread.
  [[nodiscard]] status change_policy(balancers::chosen_policy chosen);
  /// How much room there is on this node's disks. From any thread.
  void tell_room(disk_level level);
  [[nodiscard]] status_board::contents figures() const { return board_->get(); }
  /// Ends all actors, and waits for them unless the scheduler is a deterministic one. Not from an actor.
  void stop();

private:
  std::shared_ptr<shell_environment> environment_;
  std::shared_ptr<status_board> board_;
  std::shared_ptr<std::vector<caf::strong_actor_ptr>> actors_;
  std::shared_ptr<std::mutex> mutex_;
  std::shared_ptr<bool> stopped_;
  vital_parts vital_;
  caf::strong_actor_ptr node_;
  caf::actor_system& system_;
  bool threads_;
  std::function<void(std::vector<client_reply>)> replies_;
  origin own_;
};

}  // namespace quorate
