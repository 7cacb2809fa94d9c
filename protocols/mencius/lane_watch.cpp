#include "protocols/mencius/lane_watch.hpp"

#include "protocols/quorum.hpp"

#include <algorithm>
#include <utility>

namespace quorate::mencius {

namespace {

using namespace std::chrono_literals;

constexpr duration round_max = 50ms;  // an outlier, not a round

}  // namespace

lane_watch::lane_watch(lanes all, node_id self, duration shortest)
    : lanes_(std::move(all)), self_(lanes_.of(self)), others_needed_(majority{lanes_.size()}.size() - 1),
      shortest_(shortest), by_lane_(lanes_.size()) {}

void lane_watch::start(time_point now) {
  // Everybody gets a chance to be heard.
  for (auto& s : by_lane_)
    s.heard = now;
  majority_heard_ = now;
}

time_point lane_watch::heard_by_majority() {
  others_heard_.clear();
  for (lane l = 0; l < by_lane_.size(); ++l)
    if (l != self_)
      others_heard_.push_back(by_lane_[l].heard);
  return reached_by(others_needed_, others_heard_);
}

duration lane_watch::heard(node_id from, time_point now) {
  const auto l = lanes_.of(from);
  by_lane_[l].heard = now;
  if (l == self_ || others_needed_ == 0)
    return {};
  const auto cut_off = std::exchange(majority_heard_, heard_by_majority());
  // While this member stood still itself it could hear nobody: absent() has seen to that.
  const auto time = majority_heard_ - cut_off - std::exchange(absent_, {});
  if (time <= patience())
    return {};
  for (auto& s : by_lane_)
    if (s.revoke_at)
      s.revoke_at = std::max(*s.revoke_at, now + patience());
  return time;
}

void lane_watch::refused(lane l, time_point now) {
  auto& s = by_lane_[l];
  s.moved = now;
  if (s.revoke_at)
    s.revoke_at = std::max(*s.revoke_at, now + patience() * (1 + rank(l, now)));
}

void lane_watch::absent(duration time, time_point now) {
  absent_ += time;
  for (auto& s : by_lane_) {
    s.heard = std::min(now, s.heard + time);
    if (s.revoke_at && !std::exchange(s.spared, true))
      s.revoke_at = std::max(*s.revoke_at, now + shortest_ / 2);
  }
}

void lane_watch::took(duration round) {
  // One that was begun before a partition and ended after it says nothing about rounds: growth takes many.
  round = std::min({round, round_max, round_ * 2 + 1ms});
  round_ += (round - round_) / 8;
}

bool lane_watch::silent(lane l, time_point now) const {
  return l != self_ && now - std::max(by_lane_[l].heard, by_lane_[l].moved) > silent_after;
}

std::uint32_t lane_watch::rank(lane l, time_point now) const {
  const auto n = static_cast<lane>(lanes_.size());
  std::uint32_t result = 0;
  for (lane k = 1; k < n; ++k) {
    const auto next = (l + k) % n;
    if (next == self_)
      return result;
    if (!silent(next, now))
      ++result;
  }
  return result;  // the owner itself comes last
}

lane_watch::turn lane_watch::due(lane l, slot front, slot need, bool at_once, time_point now, prng& random) {
  auto& s = by_lane_[l];
  if (front >= need) {
    s.front.reset();
    s.revoke_at.reset();
    return turn::no;
  }
  if (s.front != front) {
    s.front = front;
    s.spared = false;
    s.attempts = 0;
    s.revoke_at = at_once ? now : now + patience() * (1 + rank(l, now));
  }
  if (now < *s.revoke_at)
    return turn::no;
  if (!hears_majority(at_once ? std::max(patience(), quiet_max) : patience(), now))
    return turn::listen;
  // Again only where this one fails; the random part ends duels.
  const auto shortest = std::min(patience() / 2 * (std::int64_t{1} << std::min(s.attempts, 8U)), retry_max);
  ++s.attempts;
  const auto wait = static_cast<std::uint64_t>(shortest.count());
  s.revoke_at = now + duration{static_cast<std::int64_t>(random.between(wait, wait * 2))};
  return turn::yes;
}

std::optional<time_point> lane_watch::next_due() const {
  std::optional<time_point> result;
  for (const auto& s : by_lane_)
    if (s.revoke_at)
      result = result ? std::min(*result, *s.revoke_at) : *s.revoke_at;
  return result;
}

}  // namespace quorate::mencius
