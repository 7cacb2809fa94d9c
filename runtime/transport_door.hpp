// The actor at the edge of a node.
#pragma once

#include "runtime/listening_socket.hpp"
#include "runtime/transport.hpp"
#include "runtime/transport_guard.hpp"
#include "runtime/transport_messages.hpp"
#include "runtime/vital_parts.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace quorate {

/// What the transport, its door and its diallers share.
struct transport::shared {
  caf::actor_system& system;
  transport_setup setup;
  listening_socket listener;  ///< until it is published
  std::shared_ptr<transport_guard> guard;
  own_door_actor door;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::set<node_id> connected;
  bool stopping = false;
  std::vector<std::thread> diallers;
  std::uint16_t bound = 0;
  vital_parts vital{setup.fatal};

  void set_connected(node_id node, bool yes) {
    {
      std::lock_guard lock{mutex};
      if (yes)
        connected.insert(node);
      else
        connected.erase(node);
    }
    changed.notify_all();
  }
};

/// Shakes hands with other doors, tells them our roles' actors and learns theirs, acknowledges received
/// bytes. Invariant: the link to a node holds actors of its newest known boot only.
///
/// Says hello again twice a second. After a reconnect of the same two processes CAF may still be about to
/// forget what it knew of the other one's actors, and then forgets what it has just learned of the very same
/// actors as well, without a word: one side would go on in the belief that both are connected, and what it or
/// the other sends would be lost for ever.
class transport_door {
public:
  static inline const char* name = "door";

  transport_door(own_door_actor::pointer self, std::shared_ptr<transport::shared> shared);
  own_door_actor::behavior_type make_behavior();

private:
  struct peer {
    std::string name;
    caf::strong_actor_ptr door;
    disk_id disk;
    boot_id boot;
  };

  void on(const door_hello& msg);
  void on(const door_roles& msg);
  void send_hello(const caf::strong_actor_ptr& door, bool answer);
  void send_roles(const caf::strong_actor_ptr& door,
                  std::vector<std::pair<role_address, caf::strong_actor_ptr>> list);
  void acknowledge(node_id node);
  void lost(const caf::actor_addr& source);
  void tick();
  void refuse(const door_hello& msg, const std::string& why);
  [[nodiscard]] const transport_peer* known(std::string_view name) const;

  own_door_actor::pointer self_;
  std::shared_ptr<transport::shared> shared_;
  std::map<node_id, peer> peers_;
  std::map<node_id, std::pair<disk_id, boot_id>> newest_;  ///< ever heard of, connected or not
  duration since_sweep_{};
  duration since_hello_{};
  std::map<role_address, caf::strong_actor_ptr> roles_;
  std::set<std::string> refusals_;  ///< said once each
};

}  // namespace quorate
