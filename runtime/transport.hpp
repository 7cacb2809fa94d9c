// The network between nodes. The only place that knows CAF's network layer.
#pragma once

#include "actors/errors.hpp"
#include "actors/links.hpp"
#include "actors/outbox.hpp"
#include "runtime/listening_socket.hpp"
#include "runtime/transport_accounts.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace quorate {

struct transport_peer {
  node_id id;
  std::string name;
  std::string host;  ///< an IP address or a name, looked up again at each attempt; empty: not known, not dialled
  std::uint16_t port = 0;
};

struct transport_setup {
  std::string cluster;
  transport_peer self;
  std::string listen_host;  ///< what is bound; empty: where the others reach this node
  std::uint16_t listen_port = 0;
  disk_id disk;
  boot_id boot;
  std::vector<transport_peer> others;
  std::shared_ptr<quorate::links> links;
  std::shared_ptr<transport_accounts> accounts;  ///< told of each connection; may be null
  std::function<void(severity, const std::string& line)> log;
  /// A part of the transport has ended: no other node can be reached any more.
  std::function<void(const std::string& message)> fatal;
};

/// Keeps one connection to every other node and puts the actors of that node's roles into its `link`.
/// The node with the lower name dials, for ever, with back-off and jitter; the other one listens. Both shake
/// hands: cluster, name, disk, boot, version. A lost connection empties the link; a node that comes back is a
/// new process with new actors.
class transport {
public:
  transport(caf::actor_system& system, transport_setup setup);
  /// Stops.
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// Loads CAF's network layer, with settings that suit small machines, and notices a frozen peer after
  /// `suspect`. Before the actor system is made.
  static void load(caf::actor_system_config& config, duration suspect);
  static void register_messages();
  /// Its event loop, which can run actors that must not wait for another thread.
  [[nodiscard]] static caf::execution_unit* loop(caf::actor_system& system);

  /// Takes the port, so that nobody else gets it; whoever connects waits. Fails as listening_socket does.
  [[nodiscard]] status listen();
  /// Has one already, which listens.
  void listen(listening_socket socket);
  /// Begins to accept and to dial. Listens, where that has not been done.
  [[nodiscard]] status start();
  void stop();

  /// A role has started here: all nodes that are or will be connected hear of it.
  void published(const role_address& address, const caf::strong_actor_ptr& handle);
  /// The nodes that are connected.
  [[nodiscard]] std::vector<node_id> connected() const;

  struct shared;

private:
  std::shared_ptr<shared> shared_;
};

}  // namespace quorate
