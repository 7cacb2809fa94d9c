// One attempt to settle a range of a lane.
#pragma once

#include "protocols/mencius/ballots.hpp"
#include "protocols/quorum.hpp"

#include <map>
#include <set>

namespace quorate::mencius {

/// One attempt to settle a range of a lane under one ballot: gathers promises, and says what may be proposed.
/// Nothing is ever repeated under the same ballot; who is still held up tries again with a fresh one. Source:
/// L. Lamport, "Paxos Made Simple" (2001), section 2.2, phases 1(b) and 2(a), for many slots at once.
class revocation {
public:
  revocation(const lanes& all, span_of_lane range, ballot at) : lanes_(all), range_(range), at_(at) {}

  [[nodiscard]] const ballot& at() const { return at_; }
  [[nodiscard]] const span_of_lane& range() const { return range_; }

  /// \returns true where this promise makes the majority
  bool promised(node_id from, const Promise& msg, const majority& quorum);
  /// Bytes of a batch that somebody voted for.
  void found(slot s, const batch_id& id, payload body);

  /// What takes the place of no-ops: the slots in which a batch was found. \pre a majority has promised
  [[nodiscard]] const std::map<slot, slot_vote>& batches() const { return batches_; }
  /// The next found batch whose bytes are at hand and which was not returned before.
  [[nodiscard]] std::optional<std::pair<slot, batch>> next_batch();
  [[nodiscard]] bool decided() const { return decided_; }
  [[nodiscard]] bool done() const { return decided_ && proposed_.size() == batches_.size(); }

private:
  lanes lanes_;
  span_of_lane range_;
  ballot at_;
  vote_count promises_;
  bool decided_ = false;               ///< what is to be proposed does not change any more
  interval_map<ballot> noops_;         ///< the highest votes for no-ops, by position
  std::map<slot, slot_vote> batches_;  ///< the highest vote for a batch
  std::map<slot, std::map<batch_id, payload>> bodies_;
  std::set<slot> proposed_;
};

}  // namespace quorate::mencius
