// Where clients that are no nodes hand in their commands.
#pragma once

#include "actors/links.hpp"
#include "runtime/client_messages.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <set>

namespace quorate {

struct client_desk_setup {
  std::string cluster;  ///< its name
  origin own;           ///< stamped on what goes to the replica
  std::shared_ptr<quorate::links> links;
  std::function<void(severity, const std::string& line)> log;
};

/// Passes commands of clients on to the replica, and outcomes back to the client whose session they belong
/// to. A client gets this actor's handle and no other: no role of the node ever hears of it, since roles
/// count messages of members only, and the commands that the desk passes on carry the node's own origin.
/// Invariant: a command is passed on at most once per time that it was handed in, and only where it could
/// have come from an edge: of a session, within the limits.
class client_desk {
public:
  static inline const char* name = "desk";

  client_desk(desk_actor::pointer self, client_desk_setup setup);
  desk_actor::behavior_type make_behavior();

private:
  struct client {
    caf::strong_actor_ptr answerer;
    std::set<session_id> sessions;
    std::set<std::uint64_t> openings;  ///< nonces of sessions that it is opening
  };

  void on(client_hello& msg);
  void on(client_commands& msg);
  void on(const client_outcomes& msg);
  void lost(const caf::actor_addr& source);
  void forget(std::uint64_t number);
  void answer(const client& to, std::vector<outcome> list);

  desk_actor::pointer self_;
  client_desk_setup setup_;
  std::map<std::uint64_t, client> clients_;
  std::map<session_id, std::uint64_t> by_session_;
  std::map<std::uint64_t, std::uint64_t> by_opening_;
};

/// Spawns it, on this event loop or, where that is null, on CAF's scheduler.
[[nodiscard]] desk_actor spawn_client_desk(caf::actor_system& system, caf::execution_unit* loop,
                                           client_desk_setup setup);

/// Makes the messages known to CAF.
void register_client_messages();

}  // namespace quorate
