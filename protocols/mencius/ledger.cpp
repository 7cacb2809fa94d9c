#include "protocols/mencius/ledger.hpp"

#include "actors/limits.hpp"

namespace quorate::mencius {

ledger::ledger(lanes all, slot start, past_limits limits)
    : lanes_(std::move(all)), limits_(limits), next_(start), noops_(lanes_.size()), past_from_(start) {
  for (lane l = 0; l < lanes_.size(); ++l)
    fronts_.push_back(lanes_.at_or_above(l, start));
}

bool ledger::settled(slot s) const {
  return s < next_ || chosen_.contains(s) || noops_[lanes_.of(s)].find(lanes_.position(s)) != nullptr;
}

void ledger::advance(lane l) {
  auto& s = fronts_[l];
  for (;;) {
    s = lanes_.slot_at(l, noops_[l].gap_from(lanes_.position(s)));
    if (!chosen_.contains(s))
      return;
    s += lanes_.size();
  }
}

void ledger::noop(lane l, slot from, slot to) {
  from = std::max(from, next_);
  if (from >= to)
    return;
  for (auto it = chosen_.lower_bound(from); it != chosen_.end() && it->first < to; ++it)
    ENSURE(lanes_.of(it->first) != l, "mencius learner: slot " + std::to_string(it->first) + " holds " +
                                          text(it->second.id) + ", and a no-op");
  const auto begin = lanes_.positions_below(l, from);
  const auto end = lanes_.positions_below(l, to);
  if (noops_[l].gap_from(begin) >= end)
    return;
  noops_[l].assign(begin, end, true);
  advance(l);
}

void ledger::noop_everywhere(slot from, slot to) {
  for (lane l = 0; l < lanes_.size(); ++l)
    noop(l, from, to);
}

bool ledger::choose(slot s, const batch_id& id) {
  if (s < next_)
    return false;
  const auto l = lanes_.of(s);
  ENSURE(noops_[l].find(lanes_.position(s)) == nullptr,
         "mencius learner: slot " + std::to_string(s) + " holds a no-op, and " + text(id));
  const auto [known, fresh] = chosen_.try_emplace(s, batch{id, {}});
  ENSURE(known->second.id == id, "mencius learner: slot " + std::to_string(s) + " holds " +
                                     text(known->second.id) + ", and " + text(id));
  if (fresh)
    advance(l);
  return fresh;
}

bool ledger::supply(slot s, const batch_id& id, const payload& body) {
  const auto found = chosen_.find(s);
  if (found == chosen_.end() || found->second.id != id || !found->second.body.empty())
    return false;
  found->second.body = body;
  waiting_bytes_ += body.size();
  keep_within_bytes();
  return true;
}

void ledger::keep_within_bytes() {
  for (auto it = chosen_.end(); waiting_bytes_ > limits_.waiting_bytes_max && it != chosen_.begin();) {
    if (--it == chosen_.begin())
      return;
    waiting_bytes_ -= it->second.body.size();
    it->second.body = {};
  }
}

std::optional<std::pair<slot, batch>> ledger::take_next() {
  const auto settled_below = *std::min_element(fronts_.begin(), fronts_.end());
  const auto first = chosen_.begin();
  if (first == chosen_.end() || first->first >= settled_below || first->second.body.empty()) {
    // Nothing but no-ops up to there.
    next_ = std::max(next_, first == chosen_.end() ? settled_below : std::min(settled_below, first->first));
    for (lane l = 0; l < lanes_.size(); ++l)
      noops_[l].clear(0, lanes_.positions_below(l, next_));
    return std::nullopt;
  }
  auto result = std::pair{first->first, std::move(first->second)};
  chosen_.erase(first);
  waiting_bytes_ -= result.second.body.size();
  next_ = result.first + 1;
  remember(result.first, result.second);
  return result;
}

void ledger::remember(slot s, const batch& value) {
  past_.push_back({s, past_end(), value});
  past_bytes_ += value.body.size();
  while (past_.size() > limits_.batches_max || past_bytes_ > limits_.bytes_max) {
    past_bytes_ -= past_.front().value.body.size();
    past_from_ = past_.front().at + 1;
    past_.pop_front();
  }
}

std::optional<ledger::waiting> ledger::first_waiting() const {
  if (chosen_.empty())
    return std::nullopt;
  const auto& [s, b] = *chosen_.begin();
  return waiting{s, b.id, !b.body.empty()};
}

std::vector<slot> ledger::missing(std::size_t max) const {
  std::vector<slot> out;
  // None that would be let go of again: as if each were as large as they get, all up to it find room.
  std::size_t bytes = 0;
  for (const auto& [s, b] : chosen_) {
    const auto wanted = b.body.empty();
    bytes += wanted ? limits::batch_bytes_max : b.body.size();
    if (out.size() == max || (bytes > limits_.waiting_bytes_max && s != chosen_.begin()->first))
      break;
    if (wanted)
      out.push_back(s);
  }
  return out;
}

void ledger::go_to(slot s) {
  const auto was = next_;
  next_ = s;
  const auto kept = chosen_.lower_bound(s);
  for (auto it = chosen_.begin(); it != kept; it = chosen_.erase(it))
    waiting_bytes_ -= it->second.body.size();
  for (lane l = 0; l < lanes_.size(); ++l)
    fronts_[l] = lanes_.at_or_above(l, s);
  if (s >= was) {
    past_.clear();
    past_bytes_ = 0;
    past_from_ = s;
    for (lane l = 0; l < lanes_.size(); ++l)
      noops_[l].clear(0, lanes_.positions_below(l, s));
  } else {
    // What we have delivered beyond it counts for nothing, but we know it: it comes again from here.
    const auto end = past_end();
    std::deque<past_batch> again;
    while (!past_.empty() && past_.back().at >= s) {
      past_bytes_ -= past_.back().value.body.size();
      again.push_front(std::move(past_.back()));
      past_.pop_back();
    }
    if (past_.empty() && s < past_from_)
      past_from_ = s;
    for (auto& one : again) {
      noop_everywhere(one.after, one.at);
      waiting_bytes_ += one.value.body.size();
      chosen_.insert_or_assign(one.at, std::move(one.value));
    }
    noop_everywhere(std::max(end, s), was);
    keep_within_bytes();
  }
  for (lane l = 0; l < lanes_.size(); ++l)
    advance(l);
}

}  // namespace quorate::mencius
