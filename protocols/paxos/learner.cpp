#include "protocols/paxos/learner.hpp"

#include "actors/ensure.hpp"
#include "actors/rare.hpp"

#include <algorithm>

namespace quorate::paxos {

namespace {

using namespace std::chrono_literals;

constexpr timer_tag tick_timer{1};
constexpr timer_tag position_timer{2};

constexpr duration tick = 10ms;
constexpr duration ask_after = 10ms;  // held up for so long: somebody's vote was lost
constexpr duration ask_every_max = 160ms;
constexpr duration position_every = 100ms;  // while there is news
constexpr duration position_idle = 1s;
constexpr duration news_fresh = 2s;
constexpr duration peer_fresh = 3s;  // a position older than this may be that of a dead node

}  // namespace

learner::learner(const protocol_context& context) : learner(context, majority{context.members.size()}) {}

learner::learner(const protocol_context& context, majority quorum)
    : self_(context.self), boot_(context.boot), members_(context.ids()), others_(context.ids()),
      quorum_(quorum), limits_(learner_limits::of(context.limits)), account_(context.account),
      next_(context.start.value + 1), barriers_(quorum), lag_(members_.size(), quorum) {
  std::erase(others_, self_);
  const auto wrong = read_options(context.options, options_);
  ENSURE(!wrong, wrong->message);
}

void learner::start(out& o) {
  news_at_ = o.now();
  restart_patience(o);
  tell_position(o);  // who is ahead answers at once
  o.set_timer(position_timer, position_every);
  query(barriers_.open_own(o.now()), members_, o);
  arm(o);
}

// --- votes
// -------------------------------------------------------------------------------------------------------

void learner::on(node_id from, const with_payload<Accepted>& msg, out& o) {
  peers_[from].heard = o.now();
  const auto s = msg.head.slot();
  if (s < next_)
    return;
  if (s - next_ >= limits_.window_max) {
    rare(o, "paxos learner: hears of a slot that is too far ahead");
    // Those before it are wanted all the same: proposers go on behind it.
    used(s, o);
    return;
  }
  const auto at = quorate::from_wire(msg.head.ballot());
  const auto id = quorate::from_wire(msg.head.value().id());
  auto& p = slots_[s];
  if (p.chosen_at) {
    // Votes above the ballot at which a value was chosen are for that value; below it anything may have been
    // tried.
    ENSURE(at < *p.chosen_at || id == p.chosen.id,
           "paxos learner " + text(self_) + ": slot " + std::to_string(s) + " has " + text(p.chosen.id) +
               " chosen at " + text(*p.chosen_at) + ", and a vote for " + text(id) + " at " + text(at));
    if (id == p.chosen.id) {
      p.chosen.voters.add(from);
      keep_body(p, id, msg.body, o);
      deliver(o);
    }
    return;
  }
  keep_body(p, id, msg.body, o);
  auto& t = p.tallies.try_emplace(at, tally{id, msg.head.value().noop(), {}}).first->second;
  ENSURE(t.id == id, "paxos learner " + text(self_) + ": slot " + std::to_string(s) + " has votes for " +
                         text(t.id) + " and " + text(id) + ", both at " + text(at));
  if (t.voters.add(from))
    p.heard = o.now();
  const auto done = quorum_.reached(t.voters.size());
  if (done)
    choose(s, p, at, o);
  else if (p.tallies.size() > limits_.ballots_max) {
    rare(o, "paxos learner: no room for a ballot's votes");
    p.tallies.erase(p.tallies.begin());
  }
  used(s, o);
  if (done)
    deliver(o);
}

void learner::choose(slot s, progress& p, const ballot& at, out& o) {
  p.chosen = std::move(p.tallies.at(at));
  p.chosen_at = at;
  p.tallies.clear();
  auto body = p.bodies.find(p.chosen.id);
  const auto found = body == p.bodies.end() ? payload{} : body->second;
  drop_bodies(p);
  keep_body(p, p.chosen.id, found, o);
  if (s == next_ && !p.chosen.noop && found.empty()) {
    // Its bytes are still to come. How long it took to be chosen says nothing about how long they take.
    ask_every_ = ask_after;
    ask_at_ = std::min(ask_at_, o.now() + ask_after);
  }
  Decided msg;
  msg.set_slot(s);
  to_wire(value{p.chosen.id, p.chosen.noop, {}}, msg.mutable_value());
  o.send(self_, std::move(msg));
}

void learner::deliver(out& o) {
  const auto before = next_;
  for (auto it = slots_.begin(); it != slots_.end() && it->first == next_; it = slots_.begin()) {
    auto& p = it->second;
    if (!p.chosen_at)
      break;
    if (!p.chosen.noop) {
      const auto body = p.bodies.find(p.chosen.id);
      if (body == p.bodies.end())
        break;
      o.send(self_, delivered{batch{p.chosen.id, body->second}, cursor{next_}, generation_});
    }
    drop(it, std::next(it));
    ++next_;
  }
  if (next_ == before)
    return;
  news_at_ = o.now();
  restart_patience(o);
  finish_barriers(o);
}

void learner::keep_body(progress& p, const batch_id& id, const payload& body, out& o) {
  if (body.empty() || !p.bodies.emplace(id, body).second)
    return;
  body_bytes_ += body.size();
  // The furthest can be asked for again when their turn comes; the next is always kept.
  for (auto it = slots_.end(); body_bytes_ > limits_.bodies_bytes_max && it != slots_.begin();) {
    --it;
    if (it->first == next_ || it->second.bodies.empty())
      continue;
    rare(o, "paxos learner: no room for a batch");
    drop_bodies(it->second);
  }
}

void learner::drop_bodies(progress& p) {
  for (const auto& [id, body] : p.bodies)
    body_bytes_ -= body.size();
  p.bodies.clear();
}

void learner::drop(std::map<slot, progress>::iterator first, std::map<slot, progress>::iterator last) {
  for (auto it = first; it != last; ++it)
    drop_bodies(it->second);
  slots_.erase(first, last);
}

// --- held up
// -----------------------------------------------------------------------------------------------------

void learner::used(slot s, out& o) {
  if (s <= highest_)
    return;
  if (!held_up())
    restart_patience(o);
  // Every slot up to here is wanted from now on.
  const auto end = std::min(s, next_ + limits_.window_max - 1);
  for (auto x = std::max(highest_ + 1, next_); x <= end; ++x)
    slots_[x].heard = o.now();
  highest_ = s;
  if (o.now() - news_at_ > news_fresh)
    o.set_timer(position_timer, position_every);
  news_at_ = o.now();
  arm(o);
}

void learner::restart_patience(out& o) {
  held_since_ = head_since_ = o.now();
  ask_every_ = ask_after;
  ask_at_ = o.now() + ask_after;
  const auto shortest = static_cast<std::uint64_t>(options_.takeover_after.count());
  takeover_after_ = duration{o.prng().between(shortest, shortest * 5 / 2)};
}

void learner::on(timer_tag tag, out& o) {
  if (tag == position_timer) {
    tell_position(o);
    o.set_timer(position_timer, o.now() - news_at_ > news_fresh ? position_idle : position_every);
    return;
  }
  armed_ = false;
  if (behind(o.now()))
    check_behind(o);
  else
    lag_.over();
  if (held_up() && !lag_.waits_for_sync(next_, o.now())) {
    if (o.now() >= ask_at_) {
      ask(o);
      ask_every_ = std::min(ask_every_ * 2, ask_every_max);
      ask_at_ = o.now() + ask_every_;
    }
    const auto first = slots_.find(next_);
    const auto since = std::max(held_since_, first == slots_.end() ? time_point{} : first->second.heard);
    if (worth_waiting(o.now())) {
      held_since_ = o.now();  // its proposer is alive, and not done with it
    } else if (o.now() - since >= takeover_after_) {
      take_over(o);
      held_since_ = o.now();
    }
  }
  barriers_.ask_again(o.now(), members_, [&](std::uint64_t number, const std::vector<node_id>& whom) {
    query(number, whom, o);
  });
  arm(o);
}

void learner::arm(out& o) {
  if (armed_ || (!held_up() && barriers_.empty() && !behind(o.now())))
    return;
  armed_ = true;
  o.set_timer(tick_timer, tick);
}

// --- behind
// ------------------------------------------------------------------------------------------------------

bool learner::behind(time_point now) const {
  return lag_.floor() > next_ || std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
           return entry.second.next > next_ + limits_.behind_max && now - entry.second.told <= peer_fresh;
         });
}

void learner::check_behind(out& o) {
  if (!behind(o.now()))
    return;
  const auto duty = lag_.notice(o.now());
  if (duty.begins) {
    rare(o, "paxos learner: is too far behind");
    o.note(severity::info, "is too far behind at slot " + std::to_string(next_) + ": sync has to help");
  }
  if (duty.complains)
    o.send(self_, fell_behind{});
  arm(o);
}

void learner::on(node_id from, const Forgotten& msg, out& o) {
  lag_.forgotten(from, msg.floor() + 1);  // up to there, itself included
  used(msg.floor(), o);
  check_behind(o);
}

Position learner::position() const {
  Position msg;
  msg.set_next(next_);
  msg.set_highest_used(highest_);
  return msg;
}

void learner::tell_position(out& o) {
  if (!others_.empty())
    o.send(others_, position());
}

void learner::on(node_id from, const Position& msg, out& o) {
  auto& p = peers_[from];
  p.heard = o.now();
  if (msg.next() == 0)
    return;
  p.next = msg.next();
  p.told = o.now();
  if (msg.highest_used() > highest_) {
    InUse taken;
    taken.set_slot(msg.highest_used());
    // A hint; nothing rests on it. Who was cut off would take slots for free that are long decided, one after
    // the other. Not at every vote that is heard: who does not hear the acceptors' proposers would then be in
    // their way in the very slots that they are at work in.
    o.send_now(self_, std::move(taken));
  }
  used(std::max(msg.highest_used(), msg.next() - 1), o);
  // Nobody answers an answer: it comes from who is ahead.
  if (msg.next() < next_)
    o.send(from, position());
  check_behind(o);
}

void learner::on(node_id from, const fast_forward& msg, out& o) {
  if (from != self_)
    return;
  generation_ = msg.generation;
  if (msg.at.value + 1 < next_) {
    rare(o, "paxos learner: goes back");
    o.note(severity::info,
           "goes back from slot " + std::to_string(next_) + " to " + std::to_string(msg.at.value + 1));
  }
  next_ = msg.at.value + 1;
  drop(slots_.begin(), slots_.lower_bound(next_));
  lag_.over();
  barriers_.void_asked();
  news_at_ = o.now();
  restart_patience(o);
  Advanced over;
  over.set_slot(msg.at.value);
  o.send(self_, std::move(over));
  deliver(o);
  arm(o);
}

// --- barriers
// ----------------------------------------------------------------------------------------------------

void learner::on(node_id from, const barrier& msg, out& o) {
  if (from != self_)
    return;
  if (const auto number = barriers_.open(msg.id, o.now()))
    query(*number, members_, o);
  arm(o);
}

void learner::query(std::uint64_t number, const std::vector<node_id>& whom, out& o) {
  BarrierQuery msg;
  msg.set_token(number);
  msg.set_boot(boot_.value);
  o.send(whom, std::move(msg));
}

void learner::on(node_id from, const BarrierReply& msg, out& o) {
  // Numbers start anew with each boot: an answer to an earlier one says nothing about now.
  peers_[from].heard = o.now();
  if (msg.boot() != boot_.value)
    return;
  const auto target = barriers_.answered(msg.token(), from, msg.highest_voted() + 1);
  if (!target)
    return;
  used(*target - 1, o);
  finish_barriers(o);
}

void learner::finish_barriers(out& o) {
  for (const auto& id : barriers_.reached(next_))
    o.send(self_, reached{id});
}

}  // namespace quorate::paxos
