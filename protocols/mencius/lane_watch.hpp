// When to revoke.
#pragma once

#include "actors/prng.hpp"
#include "protocols/mencius/lanes.hpp"

#include <optional>
#include <vector>

namespace quorate::mencius {

/// Watches how long each lane has been in the way, and says when it is this member's turn to settle it: the
/// first live member behind the owner, in ring order, goes first, the next ones later each, so that they do
/// not duel. The patience follows what the cluster needs for a round. Who has not heard a majority within the
/// patience settles nothing: it may be the one that is cut off, and its words may still be heard.
/// Deviation: no lane gets more patience because its owner proved alive after all. One member that comes and
/// goes would make all others wait for it longer each time.
class lane_watch {
public:
  static constexpr duration silent_after = std::chrono::milliseconds{500};  ///< then a member counts as dead
  /// Many may be at it at the same time, and each may have to read batches from slow disks.
  static constexpr duration retry_max = std::chrono::milliseconds{2000};
  /// Where nothing is under way members hear each other at least so often: the lane of the dead is settled
  /// ahead of time by who has heard a majority within this.
  static constexpr duration quiet_max = std::chrono::milliseconds{300};
  static constexpr int rounds = 4;  ///< patience, in rounds as they are measured

  lane_watch(lanes all, node_id self, duration shortest);

  void start(time_point now);
  /// Anything came from this member. \returns for how long no majority had been heard before it, where that was
  /// longer than the patience: for so long this member was cut off.
  duration heard(node_id from, time_point now);
  /// Others show that the owner is alive.
  void moved(lane l, time_point now) { by_lane_[l].moved = now; }
  /// Others would not have it revoked: the lane has moved there.
  void refused(lane l, time_point now);
  /// This member stood still itself for so long, up to now: what it has not heard meanwhile says nothing
  /// about others. Whom it would revoke at once gets one more chance; one only, since it may always stand
  /// still.
  void absent(duration time, time_point now);
  /// A batch took so long to its majority, from its first vote or from when its bytes came.
  void took(duration round);
  /// Nothing has been heard of the owner for long, from itself or from others.
  [[nodiscard]] bool silent(lane l, time_point now) const;
  [[nodiscard]] bool heard_within(lane l, duration time, time_point now) const {
    return l == self_ || now - by_lane_[l].heard <= time;
  }
  /// Whether a majority, this member included, has been heard within `time`.
  [[nodiscard]] bool hears_majority(duration time, time_point now) const {
    return others_needed_ == 0 || now - majority_heard_ <= time;
  }
  /// How long a lane may be in the way.
  [[nodiscard]] duration patience() const { return std::max(shortest_, round_ * rounds); }
  /// Whether this member is the first one alive behind the owner.
  [[nodiscard]] bool first_successor(lane l, time_point now) const { return rank(l, now) == 0; }
  [[nodiscard]] duration round() const { return round_; }

  enum class turn : std::uint8_t {
    no,
    listen,  ///< it would be, but no majority has been heard lately
    yes,
  };
  /// When a lane will have been in the way for too long.
  [[nodiscard]] std::optional<time_point> next_due() const;
  /// The lane is settled up to `front` and wanted up to `need`. \returns whether it is to be revoked now;
  /// `at_once`: without patience.
  [[nodiscard]] turn due(lane l, slot front, slot need, bool at_once, time_point now, prng& random);

private:
  struct state {
    time_point heard{};
    time_point moved{};         ///< as others show
    std::optional<slot> front;  ///< while it is in the way
    std::optional<time_point> revoke_at;
    bool spared = false;  ///< got its chance
    std::uint32_t attempts = 0;
  };

  [[nodiscard]] std::uint32_t rank(lane l, time_point now) const;
  [[nodiscard]] time_point heard_by_majority();

  lanes lanes_;
  lane self_;
  std::size_t others_needed_;  ///< for a majority
  time_point majority_heard_{};
  std::vector<time_point> others_heard_;  ///< room for a look at each message
  duration absent_{};  ///< since then
  duration shortest_;
  duration round_{};
  std::vector<state> by_lane_;
};

}  // namespace quorate::mencius
