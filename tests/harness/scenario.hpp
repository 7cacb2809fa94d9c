// Everything that one simulated run depends on.
#pragma once

#include "actors/role_limits.hpp"
#include "runtime/edge.hpp"
#include "runtime/replica_log.hpp"
#include "runtime/sessions.hpp"
#include "runtime/timings.hpp"
#include "tests/harness/network_model.hpp"

#include <map>
#include <string>

namespace quorate::testing {

enum class fault_kind : std::uint8_t {
  crash,       ///< the node's process dies, and starts again at the end
  cut_off,     ///< nothing gets in or out
  deaf,        ///< nothing gets in
  mute,        ///< nothing gets out
  split,       ///< the listed nodes hear one another and nobody else
  flapping,    ///< cut off and back, over and over
  freeze,      ///< does nothing, then everything
  slow,        ///< local work, disk and network take `amount` times as long
  clock,       ///< the clock jumps ahead by `amount` milliseconds
  slow_disk,   ///< each sync takes `amount` milliseconds longer
  bad_disk,    ///< the next write to the journal fails
  wipe,        ///< crashes, and comes back with an empty disk
  full_disk,   ///< writes to the journal fail until space returns, and until then the node cannot start
  blackout,    ///< crashes, and `amount` percent of what was not synced survive
  clock_back,  ///< the clock jumps back by `amount` milliseconds
  flood,       ///< the client asks for `amount` writes in one message
  one_way,     ///< the second node does not hear the first
  slow_link,   ///< between the two nodes, or the one and all others, messages take `amount` milliseconds longer
  low_disk,    ///< the node's disk is below its reserve: it still works, but calls itself full
};

[[nodiscard]] std::string_view to_string(fault_kind kind);

/// Something that goes wrong, from `at` on, for a while.
struct fault {
  time_point at{};
  duration lasts{};
  fault_kind kind = fault_kind::crash;
  std::vector<node_id> nodes;
  std::uint64_t amount = 0;
};

[[nodiscard]] std::string text(const fault& f);

/// What each client does.
struct client_plan {
  std::uint64_t operations_max = 30;  ///< per client, while faults go on
  std::uint64_t burst = 1;            ///< of them asked in one message
  std::uint64_t window = 2;           ///< operations at the same time
  std::uint64_t flood_bytes = 16;     ///< of a value of a flood
  duration think_max = std::chrono::milliseconds(50);
  duration timeout_min = std::chrono::milliseconds(50);
  duration timeout_max = std::chrono::milliseconds(2000);
  double reads = 20;        ///< percent
  double local_reads = 10;  ///< percent
  std::uint64_t value_bytes_max = 64;
};

/// Everything that one simulated run depends on, beside the code. Nothing in it is random any more except
/// `seed`, from which single choices (this message's delay) are drawn during the run.
struct scenario {
  std::uint64_t seed = 0;
  std::size_t members = 3;
  duration faults_for{};  ///< from then on everything works, and all but the wiped nodes are up
  duration settle = std::chrono::seconds(3);         ///< after that, how long until commands must be answered
  duration answer_within = std::chrono::seconds(5);  ///< how long a command may take then
  duration converge_within = std::chrono::seconds(10);  ///< until all replicas must be equal
  network_conditions network;
  duration sync_min = std::chrono::microseconds(100);  ///< one sync of the journal
  duration sync_max = std::chrono::milliseconds(2);
  duration local_max = std::chrono::microseconds(20);  ///< a message to a role of the same node takes so long
  double clock_drift = 0;                              ///< percent, at most, to either side
  client_plan clients;
  std::string machine = "append_log";  ///< a built-in one that there is a workload for
  std::string balancer = "local";      ///< a registered policy, with its default options
  node_timings timings;
  log_limits log;
  edge_limits edge;
  session_limits sessions;
  role_limits memory;  ///< of the roles, where they are not to have their own
  std::map<std::string, std::string> options;  ///< of the protocol
  std::vector<fault> faults;                   ///< in the order of their times

  /// The number of members that a seed stands for where nobody fixes it: 1 to 7, and 3 most often.
  [[nodiscard]] static std::size_t members_of(std::uint64_t seed);

  /// The scenario of this seed, and always the same: which kinds of faults, how many and how hard are drawn
  /// too, so that some seeds have one fault only and others all of them (swarm testing). So are the options
  /// of the protocol, where it is named and known.
  [[nodiscard]] static scenario from_seed(std::uint64_t seed, std::size_t members,
                                          std::string_view protocol = {});
  /// The same with `members_of(seed)`.
  [[nodiscard]] static scenario from_seed(std::uint64_t seed, std::string_view protocol = {}) {
    return from_seed(seed, members_of(seed), protocol);
  }
};

/// Options of this protocol, drawn from their ranges; none for those that have none.
[[nodiscard]] std::map<std::string, std::string> draw_options(std::string_view protocol, prng& random);

/// Most often sets the limit to something from `least` to `most`, and rather often to the least.
void draw_limit(role_limits& out, std::string_view name, std::uint64_t least, std::uint64_t most,
                prng& random);

/// Tiny limits of the roles that every node has, and of this protocol's: each is drawn for itself, and some
/// are left as they are.
[[nodiscard]] role_limits draw_limits(std::string_view protocol, prng& random);

/// Several lines.
[[nodiscard]] std::string text(const scenario& s);

}  // namespace quorate::testing
