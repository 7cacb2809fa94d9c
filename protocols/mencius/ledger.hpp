// What is settled, and what can be delivered next.
#pragma once

#include "actors/command.hpp"
#include "actors/role_limits.hpp"
#include "protocols/mencius/interval_map.hpp"
#include "protocols/mencius/lanes.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace quorate::mencius {

/// A batch that was delivered, as it is told to those who missed it.
struct past_batch {
  slot at;
  slot after;  ///< no-ops in all lanes from here to `at`
  batch value;
};

/// How much a ledger remembers of what was delivered, and keeps of what waits.
struct past_limits {
  std::size_t batches_max = 16'384;
  std::size_t bytes_max = 32 * 1024 * 1024;
  std::size_t waiting_bytes_max =
      64 * 1024 * 1024;  ///< of chosen batches that wait for a lane, or for one before them

  [[nodiscard]] static past_limits of(const role_limits& limits) {
    const past_limits own;
    return {limits.of("learner.past_max", own.batches_max),
            limits.of("learner.past_bytes_max", own.bytes_max),
            limits.of("learner.waiting_bytes_max", own.waiting_bytes_max)};
  }
};

/// Which slots are settled, as a batch or as a no-op, and which batch comes next in slot order.
/// Invariant: a slot is settled one way for ever; everything below next() has been handed out, in order. The
/// bytes of batches that wait are bounded: the furthest let go of theirs, and get them again when their turn
/// comes; the first in line always keeps its own.
class ledger {
public:
  ledger(lanes all, slot start, past_limits limits = {});

  /// The lowest slot that is not delivered.
  [[nodiscard]] slot next() const { return next_; }
  /// The lowest slot of the lane that is not settled.
  [[nodiscard]] slot front(lane l) const { return fronts_[l]; }
  /// The lane that is furthest behind.
  [[nodiscard]] lane lowest() const {
    return static_cast<lane>(std::min_element(fronts_.begin(), fronts_.end()) - fronts_.begin());
  }
  [[nodiscard]] bool settled(slot s) const;

  /// The slots of `l` in [from, to) hold no-ops.
  void noop(lane l, slot from, slot to);
  void noop_everywhere(slot from, slot to);
  /// The slot holds this batch; its bytes may come later. \returns false where that was known
  bool choose(slot s, const batch_id& id);
  /// Bytes for a chosen slot. \returns false where they are not wanted
  bool supply(slot s, const batch_id& id, const payload& body);

  /// The next batch in order, with its slot, or nothing: a lane is not settled, or its bytes are missing.
  [[nodiscard]] std::optional<std::pair<slot, batch>> take_next();
  /// A batch that is chosen and waits: for its bytes, or for lanes below it.
  struct waiting {
    slot at;
    batch_id id;
    bool has_body;
  };
  [[nodiscard]] std::optional<waiting> first_waiting() const;
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// The first chosen slots without bytes for which there will be room, in order.
  [[nodiscard]] std::vector<slot> missing(std::size_t max) const;

  /// Goes on at `s`, which may be further back than next().
  void go_to(slot s);

  // For those who ask.
  [[nodiscard]] slot past_from() const { return past_from_; }
  [[nodiscard]] const std::deque<past_batch>& past() const { return past_; }
  /// Above every batch that was delivered: no-ops from here to next().
  [[nodiscard]] slot past_end() const { return past_.empty() ? past_from_ : past_.back().at + 1; }
  [[nodiscard]] const std::map<slot, batch>& chosen() const { return chosen_; }
  [[nodiscard]] const interval_map<bool>& noops(lane l) const { return noops_[l]; }

private:
  void advance(lane l);
  void keep_within_bytes();
  void remember(slot s, const batch& value);

  lanes lanes_;
  past_limits limits_;
  slot next_;
  std::vector<interval_map<bool>> noops_;  ///< at or above next(), by position
  std::map<slot, batch> chosen_;           ///< at or above next()
  std::size_t waiting_bytes_ = 0;          ///< of chosen_
  std::vector<slot> fronts_;
  std::deque<past_batch> past_;
  std::size_t past_bytes_ = 0;
  slot past_from_;
};

}  // namespace quorate::mencius
