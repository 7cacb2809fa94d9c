// What a node's edge may let in.
#pragma once

#include "actors/traffic.hpp"

namespace quorate {

/// How much room there is on a node's disks, as a step that changes seldom. The numbers go over the wire.
enum class disk_level : std::uint8_t {
  roomy = 0,
  low = 1,    ///< a warning, nothing more
  full = 2,   ///< below the reserve: could take no client's write
  spent = 3,  ///< below the second, smaller reserve: could take nothing at all
};

[[nodiscard]] std::string_view to_string(disk_level level);

/// Which reserve a command may be ordered from.
enum class command_class : std::uint8_t {
  growing,  ///< what may make the state larger: every client's write
  freeing,  ///< what makes room, or keeps the cluster alive; goes on until the second reserve is reached
};

/// membership -> edge: what cannot succeed, and need not be tried. Told when it changes.
struct admission {
  static constexpr std::string_view name = "admission";
  /// For longer than the suspicion time neither this node nor anybody whom it reaches has heard a majority.
  bool majority_lost = false;
  bool room_to_grow = true;  ///< a majority of the members could take a growing command
  bool room_to_free = true;  ///< ... a freeing one

  /// ok, or why a command of this class is refused. `wait`: a majority may still come back by the deadline.
  [[nodiscard]] errc verdict(command_class of, bool wait) const {
    if (majority_lost && !wait)
      return errc::no_quorum;
    const auto room = of == command_class::growing ? room_to_grow : room_to_free;
    return room ? errc::ok : errc::disk_full;
  }
  friend bool operator==(const admission&, const admission&) = default;
};
QUORATE_LOCAL_MESSAGE(admission, edge)

}  // namespace quorate
