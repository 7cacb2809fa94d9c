#include "protocols/mencius/slow_lanes.hpp"

#include <algorithm>

namespace quorate::mencius {

namespace {

// A lane makes a batch late where it keeps it waiting for longer than this, and than half a round.
constexpr duration late_after = std::chrono::milliseconds{1};
constexpr double weight = 0.05;
constexpr double often_max = 0.5;
constexpr double lost_max = 0.4;  // of a window

}  // namespace

void slow_lanes::waits(slot at, lane by, time_point now) {
  if (!first_ || first_->at != at)
    first_ = waiting{at, by, now};
  first_->by = by;
}

void slow_lanes::absent(duration time, time_point now) {
  window_began_ = std::min(now, window_began_ + time);
  again_at_ = std::max(again_at_, now + window);
  if (first_)
    first_->since = std::min(now, first_->since + time);
}

void slow_lanes::goes_on(slot at, duration round, time_point now) {
  if (!first_ || first_->at != at)
    return;
  const auto wait = now - first_->since;
  const auto late = wait > std::max(late_after, round / 2);
  for (lane l = 0; l < often_.size(); ++l)
    often_[l] += ((late && l == first_->by ? 1.0 : 0.0) - often_[l]) * weight;
  if (late)
    lost_[first_->by] += wait;
  first_.reset();
}

std::optional<lane> slow_lanes::slowest(time_point now) {
  std::optional<lane> result;
  if (const auto passed = now - window_began_; passed >= window) {
    const auto most = std::max_element(lost_.begin(), lost_.end());
    // One long wait may have begun in an earlier window.
    if (static_cast<double>(most->count()) > lost_max * static_cast<double>(passed.count()))
      result = static_cast<lane>(most - lost_.begin());
    std::fill(lost_.begin(), lost_.end(), duration{0});
    window_began_ = now;
  }
  if (const auto most = std::max_element(often_.begin(), often_.end()); !result && *most >= often_max)
    result = static_cast<lane>(most - often_.begin());
  if (!result || now < again_at_)
    return std::nullopt;
  again_at_ = now + window;
  often_[*result] = 0;
  return result;
}

}  // namespace quorate::mencius
