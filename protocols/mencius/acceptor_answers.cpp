// What an acceptor tells those who ask: its votes again, the bytes of batches, how far it has voted.
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
  if (!found.complete && asked->promised && last)
    send_bodies(*last + 1, *asked, o);
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

}  // namespace quorate::mencius
