// A whole cluster inside one caf::actor_system: for embedding, samples and tests.
#pragma once

#include "actors/links.hpp"
#include "actors/state_machine.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "runtime/cluster_spec.hpp"
#include "runtime/node_host.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <future>
#include <memory>

namespace quorate {

/// Makes CAF know our messages; call it first thing, before any `caf::actor_system_config` is made.
void initialize();

struct local_options {
  /// A state machine of your own; empty: the spec's built-in one.
  machine_factory make_machine;
  /// A protocol of your own, which need not be registered; null: the spec's.
  const protocol* ordering = nullptr;
  /// A balancing policy of your own, which need not be registered; empty: the spec's.
  balancers::chosen_policy balancing;
  /// Wraps the way of one node's role to another node: null keeps it direct. For tests: a lossy link.
  std::function<caf::strong_actor_ptr(node_id from, node_id to, const role_address& role,
                                      const caf::strong_actor_ptr& handle)>
      between;
  /// Also what may block runs on CAF's scheduler: for its deterministic coordinator.
  bool deterministic = false;
  std::uint64_t seed = 1;
  node_timings timings;
  log_limits log;
  std::function<void(severity, node_id, std::string_view place, const std::string& line)> logger;
  /// A part of a node has ended by an error; nothing: a broken invariant, which ends the process.
  std::function<void(node_id, const std::string& why)> fatal;
};

/// n nodes, each with its own actors, journal and store in memory, connected directly. The same roles, shells
/// and node assembly as in processes; only the transport and the disks are missing.
class local_cluster {
public:
  /// \pre the spec is valid; `initialize` has been called before the system's configuration was made.
  local_cluster(caf::actor_system& system, const cluster_spec& spec, local_options options = {});
  ~local_cluster();
  local_cluster(const local_cluster&) = delete;
  local_cluster& operator=(const local_cluster&) = delete;

  using answer = std::function<void(client_reply)>;

  /// Hands a command or query to a node's edge; `done` is called once, on one of CAF's threads.
  /// Errors come as codes in the reply: no_quorum, unknown_outcome, overloaded, …
  void submit(node_id node, client_request request, answer done);

  /// The same with a future. Not under the deterministic coordinator, where nobody else would run.
  [[nodiscard]] std::future<client_reply> write(node_id node, std::string key, std::string body,
                                                duration timeout = std::chrono::seconds{5});
  [[nodiscard]] std::future<client_reply> read(node_id node, std::string query,
                                               duration timeout = std::chrono::seconds{5});

  /// Stops a node's actors; what it had not made durable is lost, as far as `keep` says (of unsynced
  /// commits).
  void crash(node_id node, std::size_t keep = 0);
  /// Starts a crashed node again on its disk.
  void restart(node_id node);
  /// Cuts a node off, or connects it again.
  void cut_off(node_id node, bool off);

  /// Another balancing policy from now on, for what is submitted at this node. Fails while there is no
  /// cluster.
  [[nodiscard]] status change_policy(node_id node, balancers::chosen_policy chosen);

  [[nodiscard]] std::vector<node_id> nodes() const;
  [[nodiscard]] status_board::contents figures(node_id node) const;
  /// A node's state: of its machine, its sessions, and how far it is. \pre nothing runs meanwhile: under the
  /// deterministic coordinator only.
  [[nodiscard]] const store& state(node_id node) const;

private:
  struct site;

  void start(site& s);
  void connect(site& from, const role_address& role, const caf::strong_actor_ptr& handle);

  caf::actor_system& system_;
  cluster_spec spec_;
  local_options options_;
  std::map<node_id, std::shared_ptr<site>> sites_;
};

}  // namespace quorate
