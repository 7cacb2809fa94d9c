// Which of its own slots a member has used.
#pragma once

#include "actors/role_limits.hpp"
#include "protocols/mencius/lanes.hpp"

#include <optional>

namespace quorate::mencius {

/// Sizes of what is taken at a time, in slots.
struct lane_blocks {
  slot yield = slot{1} << 20;  ///< an idle member skips so far ahead
  slot reach =
      slot{1} << 28;  ///< a slow one does, and a revocation reaches so far: many yields of the others
  slot ceiling = slot{1} << 24;  ///< slots that one save reserves: many yields

  [[nodiscard]] static lane_blocks of(const role_limits& limits) {
    const lane_blocks own;
    return {limits.of("blocks.yield", own.yield), limits.of("blocks.reach", own.reach),
            limits.of("blocks.ceiling", own.ceiling)};
  }
};

/// Keeps count of the slots of the own lane: which is next, what was skipped, and how far the disk allows to
/// go. Invariant: a slot is used once; what is claimed as skipped is never used, and lies below a durable
/// ceiling.
class own_lane {
public:
  own_lane(const lanes& all, lane own, lane_blocks blocks)
      : n_(all.size()), lanes_(all), own_(own), blocks_(blocks) {
    begin_at(0);
  }

  /// This boot begins at the ceiling of the last one: below it anything may have been suggested.
  void begin_at(slot ceiling) {
    begin_ = next_ = unused_from_ = lanes_.at_or_above(own_, ceiling);
    asked_ = durable_ = ceiling;
  }
  [[nodiscard]] slot begin() const { return begin_; }
  [[nodiscard]] slot next() const { return next_; }

  /// Skips the own slots below `s`. \returns false where there are none to skip
  bool skip_to(slot s) {
    if (s <= next_)
      return false;
    next_ = lanes_.at_or_above(own_, s);
    return true;
  }
  /// The ceiling to save, where half of what is reserved has been used.
  [[nodiscard]] std::optional<slot> to_reserve() {
    if (next_ + blocks_.ceiling / 2 < asked_)
      return std::nullopt;
    asked_ = std::max(asked_, next_) + blocks_.ceiling;
    return asked_;
  }
  void reserved(slot ceiling) { durable_ = std::max(durable_, ceiling); }
  [[nodiscard]] bool usable() const { return next_ < durable_; }

  struct place {
    slot at;
    slot since;  ///< own slots from here on were skipped
  };
  /// \pre usable()
  [[nodiscard]] place use() {
    ENSURE(usable() && lanes_.of(next_) == own_,
           "mencius: a slot above the durable ceiling, or of another lane");
    const place result{next_, unused_from_};
    next_ += n_;
    unused_from_ = next_;
    return result;
  }

  /// The own slots in [from, upto) are skipped for ever; nothing new: none.
  struct claim {
    slot from;
    slot upto;
  };
  [[nodiscard]] std::optional<claim> new_claim() {
    const claim now{unused_from_, std::min(next_, durable_)};
    if (now.upto <= now.from || now.upto <= claimed_)
      return std::nullopt;
    claimed_ = now.upto;
    return now;
  }

  [[nodiscard]] const lane_blocks& blocks() const { return blocks_; }

private:
  std::size_t n_;
  lanes lanes_;
  lane own_;
  lane_blocks blocks_;
  slot begin_ = 0;
  slot next_ = 0;
  slot unused_from_ = 0;  ///< own slots from here to next_ were skipped
  slot asked_ = 0;        ///< the ceiling that is being saved
  slot durable_ = 0;      ///< the ceiling that is saved
  slot claimed_ = 0;
};

}  // namespace quorate::mencius
