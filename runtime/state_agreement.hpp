// Whether the members' states are the same.
#pragma once

#include "actors/ids.hpp"
#include "actors/role_limits.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace quorate {

/// Compares the members' state hashes, each at the same index: what they have told, and this node's own. Who
/// differs from a majority is wrong, whoever that is; where no majority has told the same, nobody can know.
/// The hashes are chains over all writes: who differs at an index differs at every later one, until a
/// snapshot.
class state_agreement {
public:
  /// All members tell their hashes at multiples of this, so that they meet at the same indices under load
  /// too.
  static constexpr std::uint64_t every = 64;
  /// How many of these a message tells: more than are applied between two messages.
  static constexpr std::size_t told_at_once = 16;

  state_agreement(node_id self, const std::vector<node_id>& members, const role_limits& memory = {});

  /// This node's state has this hash once it has applied all batches below `at`.
  void own(log_index at, std::uint64_t hash);
  /// A snapshot has replaced this node's state.
  void own_replaced() { own_.clear(); }
  [[nodiscard]] std::optional<std::uint64_t> own_at(log_index at) const;
  /// A member has told of its state. A hash of 0 tells nothing.
  void heard(node_id from, log_index at, std::uint64_t hash);

  struct verdict {
    std::optional<log_index> differs;      ///< this node's state differs from a majority's there
    std::map<node_id, log_index> strayed;  ///< members whose state differs from a majority's, not said before
    std::optional<log_index> nobody_can_know;  ///< two states differ there, and no majority has told the same
  };
  /// What can be concluded from all that is known.
  [[nodiscard]] verdict judge();

  /// The last index at which a majority, this node among it, had the same state.
  [[nodiscard]] log_index agreed() const { return agreed_; }
  /// Members whose states were seen to differ from this node's.
  [[nodiscard]] const std::set<node_id>& differing() const { return differing_; }

private:
  void judge(log_index at, verdict& out);

  node_id self_;
  std::vector<node_id> members_;
  std::size_t own_kept_;
  std::map<log_index, std::uint64_t> own_;                      ///< the newest
  std::map<node_id, std::map<log_index, std::uint64_t>> told_;  ///< by others, the newest of each
  std::set<node_id> strayed_;
  std::set<node_id> differing_;
  log_index agreed_;
};

}  // namespace quorate
