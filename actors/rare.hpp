// Paths that are hardly ever taken.
#pragma once

#include "actors/outbox.hpp"

#include <string>
#include <string_view>

namespace quorate {

inline constexpr std::string_view rare_mark = "rare: ";

/// Says that a path was taken which hardly ever is, by its name. Simulations count how often, and fail where
/// it never was; elsewhere it is a line of the debug log. Not for what a busy node does all the time.
inline void rare(effects& o, std::string_view path) {
  o.note(severity::debug, std::string{rare_mark}.append(path));
}

}  // namespace quorate
