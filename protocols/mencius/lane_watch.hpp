// When to revoke.
#pragma once

#include "actors/prng.hpp"
#include "protocols/mencius/lanes.hpp"

#include <optional>
#include <vector>

namespace quorate::mencius {

/// Watches how long each lane has been in the way, and says when it is this member's turn to settle it: the
/// first live member behind the owner, in ring order, goes first, the next ones later each, so that they do
/// not duel. The patience follows what the cluster needs for a round, and is doubled for owners that proved
/// alive after all.
class lane_watch {
public:
  static constexpr duration silent_after = std::chrono::milliseconds{500};  ///< then a member counts as dead
  static constexpr duration retry_max = std::chrono::milliseconds{500};
  static constexpr duration patience_max = std::chrono::milliseconds{500};  ///< with penalties
  static constexpr duration penalty_lasts = std::chrono::seconds{5};
  static constexpr std::uint32_t penalty_max = 8;
  static constexpr int rounds = 4;  ///< patience, in rounds as they are measured

  lane_watch(lanes all, node_id self, duration shortest);

  void start(time_point now);
  /// Anything came from this member.
  void heard(node_id from, time_point now);
  /// This member stood still itself for so long, up to now: what it has not heard meanwhile says nothing
  /// about others. Whom it would revoke at once gets one more chance; one only, since it may always stand
  /// still.
  void absent(duration time, time_point now);
  /// A batch took so long to its majority, from its first vote or from when its bytes came.
  void took(duration round);
  /// Nobody has been heard from for long.
  [[nodiscard]] bool silent(lane l, time_point now) const;
  /// Whether this member is the first one alive behind the owner.
  [[nodiscard]] bool first_successor(lane l, time_point now) const { return rank(l, now) == 0; }
  [[nodiscard]] duration round() const { return round_; }

  /// The lane is settled up to `front` and wanted up to `need`. \returns true where it is to be revoked now;
  /// `at_once`: without patience.
  [[nodiscard]] bool due(lane l, slot front, slot need, bool at_once, time_point now, prng& random);

private:
  struct state {
    time_point heard{};
    std::optional<slot> front;  ///< while it is in the way
    std::optional<time_point> revoke_at;
    bool spared = false;  ///< got its chance
    std::uint32_t attempts = 0;
    time_point revoked_at{};
    std::uint32_t penalty = 1;
    time_point penalty_until{};
  };

  [[nodiscard]] std::uint32_t rank(lane l, time_point now) const;
  [[nodiscard]] duration patience(const state& s, time_point now) const;

  lanes lanes_;
  lane self_;
  duration shortest_;
  duration round_{};
  std::vector<state> by_lane_;
};

}  // namespace quorate::mencius
