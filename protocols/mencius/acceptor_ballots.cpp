// What an acceptor promises and votes for above ballot 0: revocations, of whole ranges.
#include "protocols/mencius/acceptor.hpp"

#include "protocols/mencius/acceptor_rows.hpp"

namespace quorate::mencius {

// --- ballots above 0
// -------------------------------------------------------------------------------------------

bool acceptor::usable(const span_of_lane& range) const {
  return range.which < lanes_.size() && range.first(lanes_) < range.last(lanes_);
}

bool acceptor::takes(node_id from, const span_of_lane& range, const ballot& b, slot high, out& o) {
  if (!usable(range) || b == ballot{})
    return false;
  hear(from, high, o);
  // With one slot below the floor the whole answer would be a lie: no vote there means nothing.
  return !forgotten(from, lanes_.at_or_above(range.which, range.from), o);
}

void acceptor::on(node_id from, const Prepare& msg, out& o) {
  const span_of_lane range{msg.lane(), msg.from(), msg.to()};
  const auto b = quorate::from_wire(msg.ballot());
  if (!takes(from, range, b, msg.high(), o))
    return;
  auto& here = by_lane_[range.which];
  const auto promised = here.promises.highest(range.first(lanes_), range.last(lanes_));
  if (promised && b <= *promised) {
    // Equal: this very Prepare has come twice, and was answered.
    if (b < *promised)
      refuse(from, range, b, o);
    return;
  }
  if (moves(range, from, o.now()) && may_object(range, o.now()))
    return object(from, range, b, o);
  const auto touched = here.promises.assign(range.first(lanes_), range.last(lanes_), b);
  save_ranges(rows::promise_kind, range.which, here.promises, touched, o);

  Promise answer;
  *answer.mutable_ballot() = msg.ballot();
  answer.set_high(high_);
  for (auto it = votes_.lower_bound(range.from); it != votes_.end() && it->first < range.to; ++it) {
    if (lanes_.of(it->first) != range.which)
      continue;
    const auto* noop = here.noops.find(lanes_.position(it->first));
    if (noop == nullptr || *noop < it->second.at)
      *answer.add_slots() = to_wire(it->first, it->second);
  }
  for (auto it = here.noops.first_behind(range.first(lanes_));
       it != here.noops.end() && it->first < range.last(lanes_); ++it)
    *answer.add_noops() = to_wire(span_of_lane{range.which, lanes_.slot_at(range.which, it->first),
                                               lanes_.slot_at(range.which, it->second.end)},
                                  it->second.value);
  o.send(from, std::move(answer));
  // What waits for an older ballot would only hold up this one: revokers that duel would never get their bytes.
  reads_.drop_waiting([&](const auto& r) {
    return r.what.promised && r.what.which == range.which && *r.what.promised < b && range.from < r.what.to &&
           r.from < rows::vote_key(range.to);
  });
  send_bodies(range.from, {from, range.which, b, range.to}, o);
  if (range.which == own_) {
    Promised over;
    over.set_to(range.to);
    // A hint to the owner beside us.
    o.send_now(self_, std::move(over));
  }
}

void acceptor::on(node_id from, const AcceptNoops& msg, out& o) {
  const auto range = span_of(msg.vote());
  const auto b = quorate::from_wire(msg.vote().ballot());
  if (!takes(from, range, b, msg.high(), o))
    return;
  auto& here = by_lane_[range.which];
  const auto promised = here.promises.highest(range.first(lanes_), range.last(lanes_));
  // Equal is fine: that is the very proposer that it was promised to.
  if (promised && b < *promised)
    return refuse(from, range, b, o);
  // A vote at b is a promise of b, also where b was never promised here.
  auto touched = here.promises.assign(range.first(lanes_), range.last(lanes_), b);
  save_ranges(rows::promise_kind, range.which, here.promises, touched, o);
  for_each_part(lanes_, range, msg.vote().but(), [&](std::uint64_t begin, std::uint64_t end) {
    touched = here.noops.assign(begin, end, b);
    save_ranges(rows::noop_kind, range.which, here.noops, touched, o);
  });
  note_vote(msg.vote(), o);
}

void acceptor::on(node_id from, const with_payload<Accept>& msg, out& o) {
  const auto s = msg.head.slot();
  const auto b = quorate::from_wire(msg.head.ballot());
  if (msg.body.empty() || b == ballot{})
    return;
  hear(from, std::max(msg.head.high(), s + 1), o);
  if (forgotten(from, s, o))
    return;
  const auto l = lanes_.of(s);
  auto& promises = by_lane_[l].promises;
  const auto at = lanes_.position(s);
  const auto* promised = promises.find(at);
  if (promised != nullptr && b < *promised)
    return refuse(from, {l, s, s + 1}, b, o);
  if (promised == nullptr || *promised < b) {
    const auto touched = promises.assign(at, at + 1, b);
    save_ranges(rows::promise_kind, l, promises, touched, o);
  }
  vote(s, {b, quorate::from_wire(msg.head.id()), 0}, msg.body, o);
}

void acceptor::refuse(node_id to, const span_of_lane& where, const std::optional<ballot>& asked, out& o) {
  const auto& promises = by_lane_[where.which].promises;
  Nack msg;
  msg.set_lane(where.which);
  if (asked)
    quorate::to_wire(*asked, msg.mutable_ballot());
  if (const auto promised = promises.highest(where.first(lanes_), where.last(lanes_)))
    quorate::to_wire(*promised, msg.mutable_promised());
  msg.set_to(lanes_.slot_at(where.which, promises.gap_from(where.first(lanes_))));
  msg.set_high(high_);
  // Commits us to nothing: that the promise may not be durable yet does not matter to who is told to go away.
  o.send_now(to, std::move(msg));
}

void acceptor::save_ranges(char kind, lane l, const interval_map<ballot>& ranges,
                           interval_map<ballot>::span touched, out& o) {
  o.erase(rows::range_key(kind, l, touched.from), rows::range_key(kind, l, touched.to + 1));
  for (auto it = ranges.first_from(touched.from); it != ranges.end() && it->first <= touched.to; ++it)
    o.save(rows::range_key(kind, l, it->first), rows::bytes(it->second.end, it->second.value));
}

}  // namespace quorate::mencius
