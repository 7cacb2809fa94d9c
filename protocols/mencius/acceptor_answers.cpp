// What an acceptor tells those who ask: its votes again, the bytes of batches, how far it has voted; and why a lane
// is not to be revoked.
#include "protocols/mencius/acceptor.hpp"

#include "actors/rare.hpp"
#include "protocols/mencius/acceptor_rows.hpp"

#include <algorithm>

namespace quorate::mencius {

// --- what others have missed
// -----------------------------------------------------------------------------------

void acceptor::on(node_id from, const Recall& msg, out& o) {
  const span_of_lane range{msg.lane(), msg.from(), msg.to()};
  if (!usable(range))
    return;
  // What is asked for above the floor is answered all the same.
  static_cast<void>(forgotten(from, range.from, o));
  auto answer = votes_message();
  std::size_t count = 0;
  for (auto it = votes_.lower_bound(range.from); it != votes_.end() && it->first < range.to; ++it) {
    if (lanes_.of(it->first) != range.which)
      continue;
    if (count++ == limits_.bodies_max) {
      rare(o, "mencius acceptor: tells a part of its votes");
      break;
    }
    *answer.add_slots() = to_wire(it->first, it->second);
  }
  const auto& noops = by_lane_[range.which].noops;
  for (auto it = noops.first_behind(range.first(lanes_)); it != noops.end() && it->first < range.last(lanes_);
       ++it)
    *answer.add_noops() = to_wire(span_of_lane{range.which, lanes_.slot_at(range.which, it->first),
                                               lanes_.slot_at(range.which, it->second.end)},
                                  it->second.value);
  o.send(from, std::move(answer));
  // Who still has the last ones to take gets no more of them.
  if (msg.bodies() && answers_.opens(*account_, from))
    send_bodies(range.from, {from, range.which, std::nullopt, range.to}, o);
}

void acceptor::send_bodies(slot from, const reading& what, out& o) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (auto it = votes_.lower_bound(from); it != votes_.end() && it->first < what.to; ++it) {
    const auto& [s, v] = *it;
    if (lanes_.of(s) != what.which)
      continue;
    const auto body = bodies_.find(s);
    if (body == bodies_.end())
      return read_bodies(s, what, o);
    if (count++ == limits_.bodies_max || bytes >= limits_.bodies_bytes_max) {
      rare(o, "mencius acceptor: sends a part of the batches");
      // Who is held up asks again from where it stands then. Who revokes does not: without the bytes of a
      // batch that it was told of it cannot propose it. The disk has them all, and other work goes between.
      if (what.promised)
        read_bodies(s, what, o);
      return;
    }
    bytes += body->second.size();
    send_body(what, s, v.id, body->second, o);
  }
}

void acceptor::read_bodies(slot from, const reading& what, out& o) {
  rare(o, what.promised ? "mencius acceptor: reads batches for a revoker" : "mencius acceptor: reads batches");
  // Where too much is asked for, who needs it asks again.
  static_cast<void>(reads_.ask({what, rows::vote_key(from), rows::vote_key(what.to)}, o));
  if (reads_.waiting() > 0)
    rare(o, "mencius acceptor: lets a read wait for others");
}

void acceptor::send_body(const reading& what, slot s, const batch_id& id, payload body, out& o) {
  // Behind the answer that names it.
  if (what.promised) {
    Found head;
    quorate::to_wire(*what.promised, head.mutable_ballot());
    head.set_slot(s);
    quorate::to_wire(id, head.mutable_id());
    o.send(what.asker, with_payload<Found>{std::move(head), std::move(body)});
  } else {
    Body head;
    head.set_slot(s);
    quorate::to_wire(id, head.mutable_id());
    o.send(what.asker, with_payload<Body>{std::move(head), std::move(body)});
  }
}

void acceptor::on(journal_rows found, out& o) {
  const auto asked = reads_.done(found, o);
  if (!asked)
    return;
  std::optional<slot> last;
  for (auto& row : found.rows) {
    const auto s = rows::slot_of(row);
    last = s;
    if (lanes_.of(s) != asked->which)
      continue;
    const auto v = votes_.find(s);
    // Meanwhile it may have been forgotten, or voted on anew: then who asked will ask again.
    if (v != votes_.end() && row.batch && row.batch->id == v->second.id)
      send_body(*asked, s, v->second.id, std::move(row.batch->body), o);
    else
      rare(o, "mencius acceptor: has read what does not count any more");
  }
  if (!found.complete && asked->promised && last && still_promised(*asked, *last + 1))
    send_bodies(*last + 1, *asked, o);
}

bool acceptor::still_promised(const reading& what, slot from) const {
  const span_of_lane rest{what.which, from, what.to};
  const auto highest = by_lane_[what.which].promises.highest(rest.first(lanes_), rest.last(lanes_));
  return !highest || *highest <= *what.promised;
}

void acceptor::on(node_id from, const BarrierQuery& msg, out& o) {
  hear(from, msg.high(), o);
  // It reads, and must have executed what it hears of here.
  auto& asker = listeners_[lanes_.of(from)];
  asker.eager_until = o.now() + eager_for;
  if (asker.told < durable_) {
    asker.due = true;
    tell_due(o);
  }
  BarrierReply reply;
  reply.set_token(msg.token());
  reply.set_boot(msg.boot());
  reply.set_high(std::max(voted_, floor_));
  // A vote that is not durable yet only makes the reader wait for more.
  o.send_now(from, std::move(reply));
}

// --- whose lane moves
// ------------------------------------------------------------------------------------------

void acceptor::moved(lane l, slot upto, time_point now) {
  auto& m = moved_[l];
  if (upto <= m.upto)
    return;
  m.upto = upto;
  m.until = now + objects_for_;
}

void acceptor::on(node_id from, const Moved& msg, out& o) {
  if (from != self_ || msg.lane() >= lanes_.size())
    return;
  objects_for_ = duration{static_cast<std::int64_t>(msg.patience())} / 2;
  moved_[msg.lane()].front = msg.front();
  moved(msg.lane(), msg.upto(), o.now());
}

bool acceptor::knows_first_of(const span_of_lane& range) const {
  const auto first = lanes_.at_or_above(range.which, range.from);
  if (moved_[range.which].front > first)
    return true;
  if (range.which == own_ && claim_ && claim_->from() <= first && first < claim_->upto())
    return true;
  for (auto it = votes_.lower_bound(first); it != votes_.end(); ++it)
    if (lanes_.of(it->first) == range.which)
      return it->first == first || (it->second.at == ballot{} && it->second.since <= first);
  return false;
}

bool acceptor::moves(const span_of_lane& range, node_id asker, time_point now) const {
  // The lane itself, in a way that the asker has not heard of. That its owner is alive is no reason: it may
  // hear nobody, or its disk stand still; and that it goes on is none where what the asker waits for was lost
  // on its way. What the owner asks for is its own business, and what we ask for ourselves our learner has
  // thought about.
  const auto& m = moved_[range.which];
  return asker != self_ && asker != lanes_.owner(range.which) && m.upto > range.from && now < m.until &&
         knows_first_of(range);
}

bool acceptor::may_object(const span_of_lane& range, time_point now) {
  auto& m = moved_[range.which];
  const auto first = lanes_.at_or_above(range.which, range.from);
  if (m.refused != first) {
    m.refused = first;
    m.refused_since = now;
  }
  return now - m.refused_since <= 2 * objects_for_;
}

void acceptor::object(node_id to, const span_of_lane& where, const ballot& asked, out& o) {
  Nack msg;
  msg.set_lane(where.which);
  quorate::to_wire(asked, msg.mutable_ballot());
  msg.set_high(high_);
  msg.set_moved(moved_[where.which].upto);
  // Commits us to nothing.
  o.send_now(to, std::move(msg));
  if (where.which == own_)
    o.send_now(to, votes_message());
  Recall news;
  news.set_lane(where.which);
  news.set_from(where.from);
  news.set_to(moved_[where.which].upto);
  on(to, news, o);
  Tell more;
  more.set_node(to.value);
  more.set_from(where.from);
  o.send_now(self_, std::move(more));
}

}  // namespace quorate::mencius
