// What the parts of one simulation share.
#pragma once

#include "actors/role.hpp"
#include "actors/state_machine.hpp"
#include "tests/harness/check.hpp"
#include "tests/harness/event_queue.hpp"
#include "tests/harness/scenario.hpp"
#include "tests/harness/transcript.hpp"

#include <map>
#include <optional>
#include <set>

namespace quorate::testing {

/// Planted bugs, which the checks must catch: each one is a way in which a node could break its promises.
struct mutations {
  bool acknowledge_early = false;     ///< the journal says "durable" before it is
  std::optional<port> forgetful;      ///< this role finds nothing saved when it starts again
  bool acknowledge_one_more = false;  ///< the journal says "durable" of one write more than is
  bool trust_everyone = false;        ///< the origin of a message is not looked at
  bool torn_writes = false;           ///< the effects of one call are written one by one
  bool deaf_to_disk = false;          ///< a write that fails passes for one that does not
  std::uint64_t session_window_longer = 0;
  bool wiped_votes = false;  ///< a wiped disk claims the identity of the one that is gone
  /// Every node's state machine is what this makes of it: one that is not the same everywhere.
  std::function<std::unique_ptr<state_machine>(std::unique_ptr<state_machine>, node_id)> bend_machine;
  /// Every role that starts is what this makes of it.
  std::function<std::unique_ptr<any_role>(std::unique_ptr<any_role>, const role_identity&)> bend_role;
};

/// How often things happened.
struct counters {
  std::uint64_t sent = 0;          ///< messages between nodes, per recipient
  std::uint64_t bytes = 0;         ///< of these messages
  std::uint64_t lost = 0;          ///< by the network, or because the recipient was down
  std::uint64_t doubled = 0;       ///< copies that the network added
  std::uint64_t refused = 0;       ///< whose origin did not count
  std::uint64_t unclaimed = 0;     ///< for a role that is not there
  std::uint64_t writes = 0;        ///< to journals
  std::uint64_t syncs = 0;         ///< of journals
  std::uint64_t starts = 0;        ///< of nodes
  std::uint64_t snapshots = 0;     ///< states that were replaced as a whole
  std::uint64_t applied = 0;       ///< batches, on all nodes together
  std::uint64_t operations = 0;    ///< of clients
  std::uint64_t acknowledged = 0;  ///< of them, answered ok
  std::uint64_t searches = 0;      ///< for an order that explains a history
  std::uint64_t gave_up = 0;       ///< of them, ended without a verdict

  counters& operator+=(const counters& other);
};

[[nodiscard]] std::string text(const counters& c);

/// What the parts of one simulation share.
struct surroundings {
  const scenario& plan;
  const mutations& mutants;
  event_queue& events;
  transcript& log;
  verdict& result;
  watchers& checks;
  counters& count;
  std::set<std::string, std::less<>> without;  ///< checks that are switched off
  std::map<std::string, std::uint64_t> rare{};  ///< how often the roles of all nodes took each rare path
};

}  // namespace quorate::testing
