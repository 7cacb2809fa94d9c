// A role's timers on top of one wake-up call.
#pragma once

#include "actors/ids.hpp"

#include <map>
#include <optional>
#include <vector>

namespace quorate {

/// Which of a role's timers are due. Roles set, move and cancel timers far more often than one fires; this
/// keeps that away from the runtime's own timers, of which one per role suffices.
class timers {
public:
  void set(timer_tag tag, time_point at) { due_[tag] = at; }
  void cancel(timer_tag tag) { due_.erase(tag); }

  /// When the next one is due.
  [[nodiscard]] std::optional<time_point> next() const {
    std::optional<time_point> result;
    for (const auto& [tag, at] : due_)
      if (!result || at < *result)
        result = at;
    return result;
  }

  /// Removes and returns a timer that is due at `now`, the earliest first.
  [[nodiscard]] std::optional<timer_tag> pop(time_point now) {
    auto first = due_.end();
    for (auto i = due_.begin(); i != due_.end(); ++i)
      if (i->second <= now && (first == due_.end() || i->second < first->second))
        first = i;
    if (first == due_.end())
      return std::nullopt;
    const auto tag = first->first;
    due_.erase(first);
    return tag;
  }

private:
  std::map<timer_tag, time_point> due_;
};

}  // namespace quorate
