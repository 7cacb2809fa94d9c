#include "protocols/mencius/acceptor.hpp"

#include "actors/ensure.hpp"
#include "actors/rare.hpp"
#include "protocols/mencius/acceptor_rows.hpp"
#include "protocols/mencius/options.hpp"

#include <algorithm>

namespace quorate::mencius {

namespace {

using namespace std::chrono_literals;

constexpr timer_tag later_timer{1};
// Who neither orders commands nor reads is told of the others' a little later, of several together.
constexpr duration idle_wait = 2ms;
constexpr timer_tag claim_timer{2};
// So long a claim may wait for the votes beside it; where the disk is slower, for a while none does.
constexpr duration claim_wait = 3ms;
constexpr duration disk_slow_for = 1s;

}  // namespace

acceptor::acceptor(const protocol_context& context)
    : lanes_(context.ids()), self_(context.self), own_(lanes_.of(context.self)),
      limits_(acceptor_limits::of(context.limits)), account_(context.account), by_lane_(lanes_.size()),
      moved_(lanes_.size()), listeners_(lanes_.size()), reads_(limits_.reads_max, limits_.bodies_bytes_max) {
  options how;
  const auto wrong = read_options(context.options, how);
  ENSURE(!wrong, wrong->message);
  objects_for_ = how.revoke_after / 2;
}

void acceptor::recover(const journal_view& saved) {
  if (const auto row = saved.get(rows::floor_key))
    floor_ = rows::floor(*row);
  const auto ranges = [&](char kind, interval_map<ballot> lane_votes::*map) {
    saved.scan(rows::range_key(kind, 0, 0), rows::end_of(kind), [&](journal_row&& row) {
      const auto r = rows::range(row);
      ENSURE(r.which < lanes_.size(), "mencius acceptor: a saved range is of a lane that does not exist");
      (by_lane_[r.which].*map).assign(r.begin, r.end, r.at);
      return true;
    });
  };
  ranges(rows::promise_kind, &lane_votes::promises);
  ranges(rows::noop_kind, &lane_votes::noops);
  saved.scan(rows::vote_key(0), rows::end_of(rows::vote_kind), [&](journal_row&& row) {
    const auto s = rows::slot_of(row);
    const auto v = rows::vote(row);
    ENSURE(s >= floor_, "mencius acceptor: a vote below the floor was not erased");
    votes_[s] = v;
    voted_ = std::max(voted_, s + 1);
    keep_body(s, std::move(row.batch->body));
    return true;
  });
  voted_ = std::max(voted_, floor_);
  high_ = voted_;
}

void acceptor::start(out& o) {
  InUse used;
  used.set_high(high_);
  // Hints, both; nothing rests on them.
  o.send_now(self_, std::move(used));
  slot end = 0;
  for (const auto& [begin, r] : by_lane_[own_].promises)
    end = lanes_.slot_at(own_, r.end);
  Promised over;
  over.set_to(end);
  if (end > 0)
    o.send_now(self_, std::move(over));
}

// --- votes at ballot 0
// -----------------------------------------------------------------------------------------

void acceptor::on(node_id from, const with_payload<Suggest>& msg, out& o) {
  const auto s = msg.head.slot();
  const auto l = lanes_.of(s);
  if (lanes_.owner(l) != from || msg.body.empty() || msg.head.since() > s)
    return;
  listeners_[l].eager_until = o.now() + eager_for;
  hear(from, std::max(msg.head.high(), s + 1), o);
  if (forgotten(from, s, o))
    return;
  const slot_vote v{{}, quorate::from_wire(msg.head.id()), msg.head.since()};
  const auto* promised = by_lane_[l].promises.find(lanes_.position(s));
  const auto known = votes_.find(s);
  if (known != votes_.end() && known->second.at == ballot{} &&
      by_lane_[l].noops.find(lanes_.position(s)) == nullptr) {
    ENSURE(known->second.id == v.id,
           "mencius acceptor " + text(self_) + ": two batches suggested in slot " + std::to_string(s));
    // The same vote again, also under a promise that came later: it was given, and the promise told of it.
    tell_body(s, v, msg.body, o);
    note_vote(to_wire(s, known->second), o);
  } else if (promised != nullptr) {
    // That its bytes have come is news all the same, and a revoker may find the batch elsewhere.
    tell_body(s, v, msg.body, o);
    refuse(from, {l, s, s + 1}, std::nullopt, o);
  } else {
    moved(l, s + 1, o.now());
    vote(s, v, msg.body, o);
  }
}

void acceptor::vote(slot s, const slot_vote& v, const payload& body, out& o) {
  votes_[s] = v;
  voted_ = std::max(voted_, s + 1);
  keep_body(s, body);
  o.save(rows::vote_key(s), rows::bytes(v), {v.id, body});
  note_vote(to_wire(s, v), o);
  tell_body(s, v, body, o);
}

void acceptor::tell_body(slot s, const slot_vote& v, const payload& body, out& o) {
  Body head;
  head.set_slot(s);
  quorate::to_wire(v.id, head.mutable_id());
  // Bytes only, to the learner beside us: the vote for them follows when it is durable.
  o.send_now(self_, with_payload<Body>{std::move(head), body});
}

void acceptor::tell_soon(out& o) {
  if (waiting_)
    return;
  waiting_ = true;
  waiting_since_ = o.now();
  Saved mark;
  mark.set_count(log_begin_ + log_.size());
  o.send(self_, std::move(mark));
}

void acceptor::on(node_id from, const Saved& msg, out& o) {
  if (from != self_ || !waiting_)
    return;
  waiting_ = false;
  if (o.now() - waiting_since_ > claim_wait)
    disk_slow_until_ = o.now() + disk_slow_for;
  durable_ = msg.count();
  tell(o);
  if (log_begin_ + log_.size() > durable_)
    tell_soon(o);
}

void acceptor::note_vote(vote_told v, out& o) {
  log_.push_back(std::move(v));
  const auto end = log_begin_ + log_.size();
  const auto* one = std::get_if<SlotVote>(&log_.back());
  // What was suggested matters to its owner first of all; what is revoked, to everybody.
  if (one != nullptr && !one->has_ballot())
    listeners_[lanes_.of(one->slot())].urgent = end;
  else
    for (auto& l : listeners_)
      l.urgent = end;
  tell_soon(o);
}

void acceptor::tell(out& o) {
  auto later = false;
  for (auto& l : listeners_) {
    l.due = l.told < durable_ && (l.urgent > l.told || o.now() < l.eager_until);
    later = later || (l.told < durable_ && !l.due);
  }
  tell_due(o);
  if (later && !armed_) {
    armed_ = true;
    o.set_timer(later_timer, idle_wait);
  }
}

void acceptor::on(timer_tag tag, out& o) {
  if (tag == claim_timer) {
    claim_armed_ = false;
    if (waiting_)
      tell_claim(o);
    return;
  }
  armed_ = false;
  for (auto& l : listeners_)
    l.due = l.told < durable_;
  tell_due(o);
}

void acceptor::tell_due(out& o) {
  // Most of them have been told equally much, and get the same message.
  for (lane l = 0; l < listeners_.size(); ++l) {
    if (!listeners_[l].due)
      continue;
    const auto from = listeners_[l].told;
    std::vector<node_id> to;
    for (lane k = l; k < listeners_.size(); ++k)
      if (listeners_[k].due && listeners_[k].told == from) {
        to.push_back(lanes_.owner(k));
        listeners_[k].due = false;
        listeners_[k].told = durable_;
      }
    auto msg = votes_message();
    for (auto i = from; i < durable_; ++i) {
      const auto& v = log_[i - log_begin_];
      if (const auto* one = std::get_if<SlotVote>(&v))
        *msg.add_slots() = *one;
      else
        *msg.add_noops() = std::get<NoopVote>(v);
    }
    // Does not wait for votes that were saved since: our own Saved came behind the saves of these.
    o.send_now(to, std::move(msg));
  }
  auto begin = durable_;
  for (const auto& l : listeners_)
    begin = std::min(begin, l.told);
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(begin - log_begin_));
  log_begin_ = begin;
}

Votes acceptor::votes_message() const {
  Votes msg;
  msg.set_high(high_);
  if (claim_)
    *msg.mutable_claim() = *claim_;
  return msg;
}

void acceptor::on(node_id from, const OwnClaim& msg, out& o) {
  if (from != self_)
    return;
  claim_ = msg.claim();
  moved(own_, claim_->upto(), o.now());
  tell_claim(o);
}

void acceptor::tell_claim(out& o) {
  // Rides with the votes that wait for the disk; where there are none, or the disk is slow, it goes by itself:
  // others wait for it. It is durable: the proposer claims only below a saved ceiling.
  if (!waiting_ || o.now() < disk_slow_until_ || o.now() - waiting_since_ >= claim_wait) {
    o.send_now(lanes_.members(), votes_message());
  } else if (!claim_armed_) {
    claim_armed_ = true;
    o.set_timer(claim_timer, claim_wait);
  }
}

// --- what is in use
// ------------------------------------------------------------------------------------------------

void acceptor::hear(node_id, slot high, out& o) {
  if (high <= high_)
    return;
  high_ = high;
  InUse msg;
  msg.set_high(high);
  // A hint; nothing rests on it, and it is worth most while it is fresh.
  o.send_now(self_, std::move(msg));
}

// --- forgetting
// ------------------------------------------------------------------------------------------------

void acceptor::on(node_id from, const forget& msg, out& o) {
  if (from != self_ || msg.at.value <= floor_)
    return;
  floor_ = msg.at.value;
  voted_ = std::max(voted_, floor_);
  // The floor first: what is erased must never be taken for "no vote".
  o.save(std::string{rows::floor_key}, rows::bytes(floor_));
  o.erase(rows::vote_key(0), rows::vote_key(floor_));
  votes_.erase(votes_.begin(), votes_.lower_bound(floor_));
  while (!bodies_.empty() && bodies_.begin()->first < floor_) {
    body_bytes_ -= bodies_.begin()->second.size();
    bodies_.erase(bodies_.begin());
  }
  for (lane l = 0; l < lanes_.size(); ++l) {
    erase_ranges(rows::promise_kind, l, by_lane_[l].promises, o);
    erase_ranges(rows::noop_kind, l, by_lane_[l].noops, o);
  }
}

void acceptor::erase_ranges(char kind, lane l, interval_map<ballot>& ranges, out& o) {
  // One that the floor only cuts is kept whole.
  const auto end = lanes_.positions_below(l, floor_);
  std::uint64_t gone = 0;
  for (auto it = ranges.begin(); it != ranges.end() && it->second.end <= end; ++it)
    gone = it->second.end;
  if (gone == 0)
    return;
  ranges.clear(0, gone);
  o.erase(rows::range_key(kind, l, 0), rows::range_key(kind, l, gone));
}

bool acceptor::forgotten(node_id from, slot s, out& o) {
  if (s >= floor_)
    return false;
  rare(o, "mencius acceptor: is asked for what it has forgotten");
  Forgotten msg;
  msg.set_floor(floor_);
  o.send(from, std::move(msg));
  return true;
}

void acceptor::keep_body(slot s, payload body) {
  const auto known = bodies_.find(s);
  if (known != bodies_.end()) {
    body_bytes_ -= known->second.size();
    bodies_.erase(known);
  }
  body_bytes_ += body.size();
  bodies_.emplace(s, std::move(body));
  while (body_bytes_ > limits_.recent_bytes_max) {
    body_bytes_ -= bodies_.begin()->second.size();
    bodies_.erase(bodies_.begin());
  }
}

}  // namespace quorate::mencius
