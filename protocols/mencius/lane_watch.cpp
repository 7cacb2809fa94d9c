#include "protocols/mencius/lane_watch.hpp"

#include <utility>

namespace quorate::mencius {

namespace {

using namespace std::chrono_literals;

constexpr duration round_max = 50ms;   // an outlier, not a round
constexpr duration alive_within = 1s;  // of a revocation that was not needed

}  // namespace

lane_watch::lane_watch(lanes all, node_id self, duration shortest)
    : lanes_(std::move(all)), self_(lanes_.of(self)), shortest_(shortest), by_lane_(lanes_.size()) {}

void lane_watch::start(time_point now) {
  // Everybody gets a chance to be heard.
  for (auto& s : by_lane_)
    s.heard = now;
}

void lane_watch::heard(node_id from, time_point now) {
  auto& s = by_lane_[lanes_.of(from)];
  s.heard = now;
  if (s.attempts > 0 && now - s.revoked_at < alive_within) {
    s.attempts = 0;
    s.penalty = now < s.penalty_until ? std::min(s.penalty * 2, penalty_max) : 2;
    s.penalty_until = now + penalty_lasts;
  }
}

void lane_watch::absent(duration time, time_point now) {
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
  return l != self_ && now - by_lane_[l].heard > silent_after;
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

duration lane_watch::patience(const state& s, time_point now) const {
  const auto base = std::max(shortest_, round_ * rounds);
  return std::max(base, std::min(now < s.penalty_until ? base * s.penalty : base, patience_max));
}

bool lane_watch::due(lane l, slot front, slot need, bool at_once, time_point now, prng& random) {
  auto& s = by_lane_[l];
  if (front >= need) {
    s.front.reset();
    s.revoke_at.reset();
    return false;
  }
  if (s.front != front) {
    s.front = front;
    s.spared = false;
    s.attempts = 0;
    s.revoke_at = at_once ? now : now + patience(s, now) * (1 + rank(l, now));
  }
  if (now < *s.revoke_at)
    return false;
  ++s.attempts;
  s.revoked_at = now;
  // Again only where this one fails; the random part ends duels.
  const auto shortest = std::min(patience(s, now) * (std::int64_t{1} << std::min(s.attempts, 6U)), retry_max);
  const auto wait = static_cast<std::uint64_t>(shortest.count());
  s.revoke_at = now + duration{static_cast<std::int64_t>(random.between(wait, wait * 2))};
  return true;
}

}  // namespace quorate::mencius
