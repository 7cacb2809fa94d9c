// Which owners hold up the others.
#pragma once

#include "protocols/mencius/lanes.hpp"

#include <optional>
#include <vector>

namespace quorate::mencius {

/// Measures how often, and for how much of the time, a lane keeps chosen batches from being delivered. Often:
/// an owner that is slow all the time makes every batch late, also where there are few. Time: one that stands
/// still and comes back again and again makes few batches late, but those for long, and all others behind
/// them.
class slow_lanes {
public:
  static constexpr duration window = std::chrono::milliseconds{200};

  explicit slow_lanes(std::size_t lanes) : often_(lanes), lost_(lanes) {}

  /// The first chosen batch, that of slot `at`, waits for lane `by`.
  void waits(slot at, lane by, time_point now);
  /// No batch waits for a lane.
  void nothing_waits() { first_.reset(); }
  /// This member stood still itself, or was cut off, for so long: nobody else is to blame, also not for what it
  /// has to catch up with now.
  void absent(duration time, time_point now);
  /// The batch of slot `at` waits no more; a round takes so long.
  void goes_on(slot at, duration round, time_point now);
  /// The lane whose owner is to be told now; at most one per window, and again in the next one where it has
  /// not helped.
  [[nodiscard]] std::optional<lane> slowest(time_point now);

private:
  struct waiting {
    slot at;
    lane by;
    time_point since;
  };
  std::optional<waiting> first_;
  std::vector<double> often_;   ///< by lane: the part of the batches that it made late lately
  std::vector<duration> lost_;  ///< by lane: the time for which it kept batches waiting, in this window
  time_point window_began_{};
  time_point again_at_{};
};

}  // namespace quorate::mencius
