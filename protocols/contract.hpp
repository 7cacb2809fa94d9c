// The plug-in contract of a protocol (DESIGN.md section 5).
#pragma once

#include "actors/link_account.hpp"
#include "actors/origin.hpp"
#include "actors/role.hpp"
#include "actors/role_limits.hpp"
#include "actors/traffic.hpp"

#include <map>
#include <string>
#include <vector>

namespace quorate {

/// What a protocol's roles are started with, after a restart too.
struct protocol_context {
  group_id group;
  epoch_id epoch;
  std::vector<member> members;  ///< in the epoch's order
  node_id self;
  boot_id boot;
  cursor start;  ///< everything up to here has been executed; 0 at the beginning of an epoch
  std::map<std::string, std::string> options;  ///< by name, as in the cluster spec
  role_limits limits{};                        ///< of the roles' memory; simulations only
  /// What of this node's long messages is on its way.
  std::shared_ptr<const link_account> account = std::make_shared<instant_links>();

  [[nodiscard]] std::vector<node_id> ids() const {
    std::vector<node_id> out;
    for (const auto& m : members)
      out.push_back(m.id);
    return out;
  }
};

/// A protocol gives a group total-order broadcast among the fixed members of one epoch. Its three roles take
/// and send the messages of actors/traffic.hpp that are headed "replica <-> protocol":
///
///   proposer: propose -> (ordered sooner or later, in one place), take_back -> not_ordered; a command may be
///             ordered again where a fast-forward, a forgotten past, or another member to whom it was handed
///             leaves open whether it was: sessions remove the repeat
///   learner:  emits delivered (same order everywhere, no gaps, no no-ops) and fell_behind;
///             takes barrier -> reached, fast_forward; one barrier is open at a time: a newer one takes the
///             place of one that is not reached yet, the same one again changes nothing, and the one of token
///             0 says that nobody waits any more
///   acceptor: takes forget; its floor is saved before anything is erased
///
/// and whatever they exchange with one another. All of it survives the crash of any or all members at any
/// moment.
struct protocol {
  std::string name;
  bool leaderless = true;  ///< a crashed or frozen proposer holds nobody up for longer than some 50 ms
  /// Nothing, or which option is wrong and why.
  status (*check_options)(const std::map<std::string, std::string>& options);
  /// Fresh role objects: proposer, acceptor, learner. The caller recovers and starts them.
  std::vector<std::unique_ptr<any_role>> (*make_roles)(const protocol_context& context);
};

}  // namespace quorate
