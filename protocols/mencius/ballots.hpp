// What the roles of `mencius` share: a vote, a range of a lane, and how they travel.
#pragma once

#include "protocols/mencius/interval_map.hpp"
#include "protocols/mencius/lanes.hpp"
#include "protocols/mencius/ports.hpp"

#include <optional>

namespace quorate::mencius {

/// A vote for a batch. Ballot 0, below all others, is the owner's.
struct slot_vote {
  ballot at;
  batch_id id;
  slot since = 0;  ///< at ballot 0: the owner has skipped its slots from here to the vote's
};

/// Slots of one lane.
struct span_of_lane {
  lane which = 0;
  slot from = 0;
  slot to = 0;  ///< exclusive

  [[nodiscard]] std::uint64_t first(const lanes& all) const { return all.positions_below(which, from); }
  [[nodiscard]] std::uint64_t last(const lanes& all) const { return all.positions_below(which, to); }
};

[[nodiscard]] inline SlotVote to_wire(slot s, const slot_vote& v) {
  SlotVote msg;
  msg.set_slot(s);
  if (v.at != ballot{})
    quorate::to_wire(v.at, msg.mutable_ballot());
  else
    msg.set_since(v.since);
  quorate::to_wire(v.id, msg.mutable_id());
  return msg;
}

[[nodiscard]] inline slot_vote from_wire(const SlotVote& msg) {
  return {quorate::from_wire(msg.ballot()), quorate::from_wire(msg.id()), msg.since()};
}

[[nodiscard]] inline span_of_lane span_of(const NoopVote& msg) {
  return {msg.lane(), msg.from(), msg.to()};
}

[[nodiscard]] inline NoopVote to_wire(const span_of_lane& range, const ballot& at) {
  NoopVote msg;
  msg.set_lane(range.which);
  msg.set_from(range.from);
  msg.set_to(range.to);
  quorate::to_wire(at, msg.mutable_ballot());
  return msg;
}

/// Calls `f(begin, end)`, in positions, for each part of the range that `but` does not take out. \pre `but`
/// is in order
template <class Slots, class F>
void for_each_part(const lanes& all, const span_of_lane& range, const Slots& but, F f) {
  auto begin = range.first(all);
  const auto end = range.last(all);
  for (const auto s : but) {
    const auto at = all.position(s);
    if (at < begin || at >= end || all.of(s) != range.which)
      continue;
    if (begin < at)
      f(begin, at);
    begin = at + 1;
  }
  if (begin < end)
    f(begin, end);
}

}  // namespace quorate::mencius
