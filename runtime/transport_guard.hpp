// What stands between the network and CAF's network layer.
#pragma once

#include "actors/errors.hpp"
#include "actors/outbox.hpp"
#include "runtime/receive_budget.hpp"
#include "runtime/transport_accounts.hpp"
#include "runtime/transport_rules.hpp"

#include <caf/fwd.hpp>
#include <caf/io/fwd.hpp>
#include <caf/node_id.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace quorate {

class guarded_scribe;

/// Gives CAF listening and connected sockets whose bytes are looked at on their way: each frame before CAF acts
/// on it. CAF still reads and writes the sockets itself, into its own buffers: a short frame costs a look at
/// its first bytes, a long one is copied once.
///
/// Whoever connects has to shake hands within `handshake_within`; beyond `silent_max` connections that have
/// not, the oldest goes; and there are at most `connections_max` that have. What is refused is said in one
/// line for each address and reason, and again after `repeat_after` with the number of the like.
class transport_guard : public std::enable_shared_from_this<transport_guard> {
public:
  using log_function = std::function<void(severity, const std::string& line)>;
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds handshake_within{2};
  static constexpr std::size_t silent_max = 64;
  static constexpr std::chrono::seconds repeat_after{60};

  transport_guard(caf::actor_system& system, transport_side side, std::size_t connections_max,
                  log_function log);
  ~transport_guard();
  transport_guard(const transport_guard&) = delete;
  transport_guard& operator=(const transport_guard&) = delete;

  /// Publishes `door` on a socket that listens, and takes it. Returns the port.
  [[nodiscard]] std::uint16_t publish(const caf::strong_actor_ptr& door,
                                      const std::set<std::string>& signatures, int socket);

  /// Shakes hands over a socket that is connected, and takes it. `interface` gets what the actor there
  /// understands. Null where no node answers.
  [[nodiscard]] caf::strong_actor_ptr shake_hands(int socket, std::uint16_t port,
                                                  std::chrono::milliseconds within,
                                                  std::set<std::string>& interface);

  /// The one actor to which strangers may introduce themselves. `publish` names it too.
  void introduce_with(const caf::strong_actor_ptr& door);
  /// What the other process said of itself has been accepted: it may say from now on what goes with that,
  /// until its connection ends. Returns what that counts; null where it has ended. From any thread.
  std::shared_ptr<const connection_account> vouch(const caf::node_id& node, peer_standing standing);

  /// Ends connections that have said nothing for too long. From any thread, now and then.
  void sweep();

private:
  friend class guarded_scribe;
  friend class guarded_doorman;
  using scribe_handle = caf::intrusive_ptr<guarded_scribe>;

  // All of these only in CAF's network thread.
  void arrived(scribe_handle scribe);
  void forget(guarded_scribe& scribe);
  [[nodiscard]] bool admit(guarded_scribe& scribe);
  void drop_silent(clock::time_point before);
  void complain(const std::string& address, const std::string& why);

  /// Whoever speaks on a connection. Told to by any thread.
  struct speaker {
    caf::node_id node;
    std::atomic<peer_standing> standing{peer_standing::stranger};
    std::shared_ptr<connection_account> account = std::make_shared<connection_account>();
  };
  [[nodiscard]] std::shared_ptr<speaker> speaks(const std::string& node);
  void silence(const std::string& node, const speaker& who);
  [[nodiscard]] bool is_connected(caf::io::abstract_broker* broker, const std::string& node);

  struct complaint {
    clock::time_point said;
    std::size_t unsaid = 0;
  };

  caf::actor_system& system_;
  const transport_side side_;
  const std::string self_;
  std::atomic<std::uint64_t> handshake_{0};
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<speaker>> speakers_;  ///< by node id; guarded by mutex_
  receive_budget budget_;
  const std::size_t connections_max_;
  const log_function log_;
  std::list<scribe_handle> silent_;  ///< in the order of their arrival
  std::atomic<std::size_t> silent_count_{0};
  std::size_t admitted_ = 0;
  std::map<std::string, complaint> complaints_;
};

}  // namespace quorate
