#include "protocols/paxos/acceptor.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/rare.hpp"

#include <algorithm>

namespace quorate::paxos {

namespace {

// Promises and votes have rows of their own, so that a promise need not repeat the reference to the vote's
// batch. A vote's ballot counts as promised.
constexpr char promise_row = 'p';
constexpr char vote_row = 'v';
constexpr std::string_view floor_key = "f";

std::string key_of(char kind, slot s) {
  return kind + ordered_key(s);
}

slot slot_of(const std::string& key) {
  byte_reader in{std::string_view{key}.substr(1)};
  const auto s = in.big<slot>();
  ENSURE(in.ok() && in.at_end(), "paxos acceptor: a saved key is not a slot's");
  return s;
}

void put_ballot(std::string& out, const ballot& b) {
  put_little(out, b.round);
  put_little(out, b.node.value);
}

ballot take_ballot(byte_reader& in) {
  const auto round = in.little<std::uint64_t>();
  return {round, node_id{in.little<std::uint32_t>()}};
}

std::string vote_bytes(const ballot& at, const batch_id& id, bool noop) {
  std::string out;
  put_ballot(out, at);
  put_little(out, id.node.value);
  put_little(out, id.boot.value);
  put_little(out, id.number);
  put_little(out, static_cast<std::uint8_t>(noop));
  return out;
}

}  // namespace

acceptor::acceptor(const protocol_context& context)
    : self_(context.self), others_(context.ids()), limits_(acceptor_limits::of(context.limits)),
      account_(context.account), reads_(limits_.reads_max, limits_.ask_bytes_max) {
  std::erase(others_, self_);
}

void acceptor::recover(const journal_view& saved) {
  if (const auto row = saved.get(floor_key)) {
    byte_reader in{*row};
    floor_ = in.little<slot>();
    ENSURE(in.ok() && in.at_end(), "paxos acceptor: the saved floor cannot be read");
  }
  saved.scan(key_of(promise_row, 0), std::string{promise_row + 1}, [&](journal_row&& row) {
    byte_reader in{row.value};
    const auto b = take_ballot(in);
    ENSURE(in.ok() && in.at_end(), "paxos acceptor: a saved promise cannot be read");
    slots_[slot_of(row.key)].promised = b;
    return true;
  });
  saved.scan(key_of(vote_row, 0), std::string{vote_row + 1}, [&](journal_row&& row) {
    byte_reader in{row.value};
    vote v;
    v.at = take_ballot(in);
    v.id.node = node_id{in.little<std::uint32_t>()};
    v.id.boot = boot_id{in.little<std::uint64_t>()};
    v.id.number = in.little<std::uint64_t>();
    v.noop = in.little<std::uint8_t>() != 0;
    ENSURE(in.ok() && in.at_end(), "paxos acceptor: a saved vote cannot be read");
    ENSURE(v.noop || (row.batch && row.batch->id == v.id && !row.batch->body.empty()),
           "paxos acceptor: the batch of a saved vote is missing");
    const auto s = slot_of(row.key);
    auto& r = slots_[s];
    r.promised = std::max(r.promised, v.at);
    r.voted = v;
    highest_voted_ = std::max(highest_voted_, s);
    if (!v.noop)
      keep_body(s, std::move(row.batch->body));
    return true;
  });
  ENSURE(slots_.empty() || slots_.begin()->first > floor_,
         "paxos acceptor: a slot below the floor was not erased");
  highest_used_ = std::max(floor_, slots_.empty() ? 0 : slots_.rbegin()->first);
}

void acceptor::start(out& o) {
  InUse found;
  found.set_slot(highest_used_);
  // A hint; nothing rests on it.
  o.send_now(self_, std::move(found));
}

void acceptor::on(node_id from, const Prepare& msg, out& o) {
  const auto s = msg.slot();
  if (forgotten(from, s, o))
    return;
  hint(from, s, o);
  const auto b = quorate::from_wire(msg.ballot());
  auto& r = slots_[s];
  // Below the promise: refused. Equal: the answer was lost, and only this proposer uses the ballot: the same
  // again.
  if (b < r.promised) {
    Nack nack;
    nack.set_slot(s);
    *nack.mutable_ballot() = msg.ballot();
    to_wire(r.promised, nack.mutable_promised());
    nack.set_highest_used(highest_used_);
    // Commits us to nothing: that the promise may not be durable yet does not matter to who is told to go
    // away.
    o.send_now(from, std::move(nack));
    return;
  }
  if (b == r.promised && r.voted && !r.voted->noop && from != self_ && !answers_.opens(*account_, from))
    return;  // asked again, while the answer with the bytes is on its way
  if (b > r.promised) {
    r.promised = b;
    std::string row;
    put_ballot(row, b);
    o.save(key_of(promise_row, s), std::move(row));
    // What waits for an older ballot would only hold up this one.
    reads_.drop_waiting([&](const auto& waits) {
      return waits.what.promised && *waits.what.promised < b && waits.from == key_of(vote_row, s);
    });
  }
  if (!r.voted) {
    promise(from, s, r, {}, o);
  } else if (auto body = body_of(s, *r.voted)) {
    promise(from, s, r, std::move(*body), o);
  } else {
    read_votes(s, s, {from, b}, o);
  }
}

void acceptor::promise(node_id to, slot s, const record& r, payload body, out& o) {
  with_payload<Promise> answer;
  answer.head.set_slot(s);
  to_wire(r.promised, answer.head.mutable_ballot());
  if (r.voted) {
    to_wire(r.voted->at, answer.head.mutable_voted());
    to_wire(value{r.voted->id, r.voted->noop, {}}, answer.head.mutable_value());
    answer.body = std::move(body);
  }
  answer.head.set_highest_used(highest_used_);
  o.send(to, std::move(answer));
}

void acceptor::on(node_id from, const with_payload<Accept>& msg, out& o) {
  const auto s = msg.head.slot();
  if (forgotten(from, s, o))
    return;
  hint(from, s, o);
  const auto b = quorate::from_wire(msg.head.ballot());
  const auto proposed = from_wire(msg.head.value(), msg.body);
  if (!proposed.complete())
    return;  // no batch: no vote
  auto& r = slots_[s];
  // Equal to the promise is fine: that is the very proposer that it was given to (2(b): unless promised
  // higher).
  if (b < r.promised) {
    Nack nack;
    nack.set_slot(s);
    *nack.mutable_ballot() = msg.head.ballot();
    to_wire(r.promised, nack.mutable_promised());
    nack.set_highest_used(highest_used_);
    // As above: commits us to nothing.
    o.send_now(from, std::move(nack));
    return;
  }
  if (!r.voted || r.voted->at != b) {
    r.promised = b;
    r.voted = vote{b, proposed.id, proposed.noop};
    highest_voted_ = std::max(highest_voted_, s);
    auto row = vote_bytes(b, proposed.id, proposed.noop);
    if (proposed.noop)
      o.save(key_of(vote_row, s), std::move(row));
    else
      o.save(key_of(vote_row, s), std::move(row), {proposed.id, proposed.body});
    keep_body(s, proposed.body);
  }
  ENSURE(r.voted->id == proposed.id, "paxos acceptor " + text(self_) + ": two batches in slot " +
                                         std::to_string(s) + " at ballot " + text(b));
  // The learner beside us gets the bytes, the others have them from acceptors of their own.
  if (!others_.empty())
    o.send(others_, with_payload<Accepted>{accepted(s, *r.voted), {}});
  o.send(self_, with_payload<Accepted>{accepted(s, *r.voted), proposed.body});
}

Accepted acceptor::accepted(slot s, const vote& v) {
  Accepted msg;
  msg.set_slot(s);
  to_wire(v.at, msg.mutable_ballot());
  to_wire(value{v.id, v.noop, {}}, msg.mutable_value());
  return msg;
}

void acceptor::on(node_id from, const Ask& msg, out& o) {
  // What is asked for above the floor is answered all the same.
  static_cast<void>(forgotten(from, msg.from(), o));
  // Who still has the last ones to take gets no more bytes.
  const auto bodies = msg.bodies() && answers_.opens(*account_, from);
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (auto it = slots_.lower_bound(msg.from()); it != slots_.end() && it->first <= msg.to(); ++it) {
    const auto& [s, r] = *it;
    if (!r.voted)
      continue;
    if (count == ask_slots_max || bytes >= limits_.ask_bytes_max) {
      rare(o, "paxos acceptor: tells a part of its votes");
      return;
    }
    with_payload<Accepted> answer{accepted(s, *r.voted), {}};
    if (bodies) {
      auto body = body_of(s, *r.voted);
      if (!body)
        return read_votes(s, std::min(msg.to(), s + ask_slots_max - 1), {from, std::nullopt}, o);
      answer.body = std::move(*body);
    }
    ++count;
    bytes += answer.body.size();
    o.send(from, std::move(answer));
  }
}

void acceptor::read_votes(slot from, slot to, reading what, out& o) {
  rare(o, what.promised ? "paxos acceptor: reads a batch for a promise" : "paxos acceptor: reads batches");
  // Where too much is asked for, who needs it asks again.
  static_cast<void>(reads_.ask({what, key_of(vote_row, from), key_of(vote_row, to + 1)}, o));
  if (reads_.waiting() > 0)
    rare(o, "paxos acceptor: lets a read wait for others");
}

void acceptor::on(journal_rows rows, out& o) {
  const auto what = reads_.done(rows, o);
  if (!what)
    return;
  for (auto& row : rows.rows) {
    const auto s = slot_of(row.key);
    const auto r = slots_.find(s);
    // Meanwhile it may have been forgotten, or voted on anew: then who asked will ask again.
    if (r == slots_.end() || !r->second.voted || !row.batch || row.batch->id != r->second.voted->id) {
      rare(o, "paxos acceptor: has read what does not count any more");
      continue;
    }
    if (!what->promised)
      o.send(what->asker, with_payload<Accepted>{accepted(s, *r->second.voted), std::move(row.batch->body)});
    else if (r->second.promised == *what->promised)
      promise(what->asker, s, r->second, std::move(row.batch->body), o);
  }
}

void acceptor::on(node_id from, const BarrierQuery& msg, out& o) {
  BarrierReply reply;
  reply.set_token(msg.token());
  reply.set_boot(msg.boot());
  reply.set_highest_voted(std::max(highest_voted_, floor_));
  o.send(from, std::move(reply));
}

void acceptor::on(node_id from, const forget& msg, out& o) {
  if (from != self_ || msg.at.value <= floor_)
    return;
  floor_ = msg.at.value;
  std::string row;
  put_little(row, floor_);
  o.save(std::string{floor_key}, std::move(row));
  o.erase(key_of(promise_row, 0), key_of(promise_row, floor_ + 1));
  o.erase(key_of(vote_row, 0), key_of(vote_row, floor_ + 1));
  slots_.erase(slots_.begin(), slots_.upper_bound(floor_));
  while (!bodies_.empty() && bodies_.begin()->first <= floor_) {
    body_bytes_ -= bodies_.begin()->second.size();
    bodies_.erase(bodies_.begin());
  }
  highest_used_ = std::max(highest_used_, floor_);
}

bool acceptor::forgotten(node_id from, slot s, out& o) {
  if (s > floor_)
    return false;
  rare(o, "paxos acceptor: is asked for what it has forgotten");
  Forgotten msg;
  msg.set_floor(floor_);
  o.send(from, std::move(msg));
  return true;
}

void acceptor::hint(node_id from, slot s, out& o) {
  if (s <= highest_used_)
    return;
  highest_used_ = s;
  if (from == self_)
    return;
  InUse msg;
  msg.set_slot(s);
  // A hint; nothing rests on it, and it is worth most while it is fresh.
  o.send_now(self_, std::move(msg));
}

void acceptor::keep_body(slot s, payload body) {
  const auto known = bodies_.find(s);
  if (known != bodies_.end()) {
    body_bytes_ -= known->second.size();
    bodies_.erase(known);
  }
  if (body.empty())
    return;
  body_bytes_ += body.size();
  bodies_.emplace(s, std::move(body));
  while (body_bytes_ > limits_.recent_bytes_max) {
    body_bytes_ -= bodies_.begin()->second.size();
    bodies_.erase(bodies_.begin());
  }
}

std::optional<payload> acceptor::body_of(slot s, const vote& v) const {
  if (v.noop)
    return payload{};
  const auto known = bodies_.find(s);
  return known == bodies_.end() ? std::nullopt : std::optional{known->second};
}

}  // namespace quorate::paxos
