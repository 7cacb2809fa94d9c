// Counts votes.
#pragma once

#include "actors/role_limits.hpp"
#include "protocols/mencius/ballots.hpp"
#include "protocols/quorum.hpp"

#include <map>
#include <optional>
#include <vector>

namespace quorate::mencius {

/// How much is counted at a time.
struct tally_limits {
  std::size_t slots_max = 16'384;  ///< the highest go first
  std::size_t ballots_max = 16;    ///< in one slot, or one lane; the lowest go first

  [[nodiscard]] static tally_limits of(const role_limits& limits) {
    const tally_limits own;
    return {limits.of("learner.tally_slots_max", own.slots_max),
            limits.of("learner.tally_ballots_max", own.ballots_max)};
  }
};

/// Counts distinct voters, for batches slot by slot and for no-ops range by range.
/// Source: L. Lamport, "Paxos Made Simple" (2001), section 2.3.
class tallies {
public:
  tallies(lanes all, majority quorum, tally_limits limits = {})
      : lanes_(std::move(all)), quorum_(quorum), limits_(limits), noops_(lanes_.size()) {}

  struct result {
    bool chosen = false;
    bool fresh = false;  ///< nobody had voted in this slot before
    time_point since{};  ///< when the first vote was heard
    bool full = false;   ///< something is not counted any more, this vote or others
  };
  /// A vote for a batch.
  result add(node_id voter, slot s, const slot_vote& v, time_point now);
  /// A vote for no-ops. \returns the parts of the range, in positions, that are chosen now
  struct noop_result {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> chosen;
    bool full = false;  ///< as above
  };
  noop_result add(node_id voter, const NoopVote& vote);
  /// Who has voted for this batch.
  [[nodiscard]] std::vector<node_id> voters(slot s, const batch_id& id) const;
  /// Nothing in this slot, or below that one, is of interest any more.
  void drop(slot s) { slots_.erase(s); }
  void drop_below(slot s);

private:
  struct tally {
    batch_id id;
    vote_count voters;
  };
  struct progress {
    std::map<ballot, tally> by_ballot;
    time_point since{};
  };
  /// Which members have voted, as bits by lane: a cluster has at most nine.
  using voters_of = std::uint32_t;

  lanes lanes_;
  majority quorum_;
  tally_limits limits_;
  std::map<slot, progress> slots_;
  std::vector<std::map<ballot, interval_map<voters_of>>> noops_;  ///< by lane
};

}  // namespace quorate::mencius
