#include "protocols/mencius/learner.hpp"

#include "actors/ensure.hpp"
#include "actors/rare.hpp"

#include <algorithm>

namespace quorate::mencius {

namespace {

using namespace std::chrono_literals;

constexpr timer_tag tick_timer{1};
constexpr timer_tag position_timer{2};

constexpr duration tick = 2ms;  // how late a lane that is in the way may be noticed
constexpr duration tick_min = 1ms;
constexpr duration ask_after = 10ms;  // held up for so long: something was lost
constexpr duration ask_every_max = 160ms;
constexpr duration position_every = 100ms;  // while there is news
// Well below lane_watch::silent_after: nobody is taken for dead in the quiet.
constexpr duration position_idle = 200ms;
constexpr duration news_fresh = 2s;
constexpr duration absence_min = 15ms;  // by which a timer is late
constexpr duration transfer_max = 1s;   // one that took longer was held up
constexpr duration moved_every = 5ms;   // the acceptor beside us hears of it

}  // namespace

learner::learner(const protocol_context& context) : learner(context, majority{context.members.size()}) {}

learner::learner(const protocol_context& context, majority quorum)
    : learner(context, quorum, lane_blocks::of(context.limits)) {}

learner::learner(const protocol_context& context, majority quorum, lane_blocks blocks)
    : self_(context.self), boot_(context.boot), lanes_(context.ids()), own_(lanes_.of(context.self)),
      others_(context.ids()), blocks_(blocks), limits_(learner_limits::of(context.limits)), quorum_(quorum),
      account_(context.account), ledger_(lanes_, context.start.value, past_limits::of(context.limits)),
      tallies_(lanes_, quorum, tally_limits::of(context.limits)), long_batches_(lanes_.size()),
      claims_(lanes_.size()), watch_(lanes_, context.self, options_.revoke_after), barriers_(quorum),
      moved_told_(lanes_.size()), slow_(lanes_.size()), lag_(lanes_.size(), quorum) {
  std::erase(others_, self_);
  const auto wrong = read_options(context.options, options_);
  ENSURE(!wrong, wrong->message);
  watch_ = lane_watch{lanes_, self_, options_.revoke_after};
}

void learner::start(out& o) {
  watch_.start(o.now());
  news_at_ = o.now();
  ask_every_ = ask_after;
  ask_at_ = o.now() + ask_after;
  tell_position(o);  // who is ahead answers at once
  set_position_timer(position_every, o);
  query(barriers_.open_own(o.now()), lanes_.members(), o);
  arm(o);
}

void learner::on(node_id from, const Began& msg, out& o) {
  if (from != self_)
    return;
  own_wanted_ = msg.slot();
  arm(o);
}

void learner::heard(node_id from, out& o) {
  notice_absence(o.now());
  const auto cut_off = std::min(watch_.heard(from, o.now()), o.now() - held_since_);
  if (!held_up() || cut_off <= watch_.patience())
    return;
  slow_.absent(cut_off, o.now());
  // What was missed is known to those that are heard again: before the patience with their lanes is over.
  ask_every_ = ask_after;
  ask_at_ = o.now();
}

void learner::moved(lane l, slot upto, out& o) {
  if (l == own_)
    return;
  watch_.moved(l, o.now());
  if (o.now() - moved_told_[l] < moved_every)
    return;
  moved_told_[l] = o.now();
  Moved msg;
  msg.set_lane(l);
  msg.set_upto(upto);
  msg.set_front(ledger_.front(l));
  msg.set_patience(static_cast<std::uint64_t>(watch_.patience().count()));
  // A hint; nothing rests on it.
  o.send_now(self_, std::move(msg));
}

// --- what is settled
// -------------------------------------------------------------------------------------------

void learner::on(node_id from, const Votes& msg, out& o) {
  heard(from, o);
  if (msg.has_claim())
    learn(msg.claim(), o);
  for (const auto& vote : msg.slots())
    count(from, vote, o);
  for (const auto& vote : msg.noops())
    count(from, vote, o);
  hear(msg.high(), o);
  deliver(o);
}

void learner::count(node_id voter, const SlotVote& vote, out& o) {
  const auto s = vote.slot();
  const auto v = from_wire(vote);
  hear(s + 1, o);
  // What the owner says of the slots before it is true whoever passes it on.
  if (v.at == ballot{})
    noop(lanes_.of(s), v.since, s, o);
  if (s < ledger_.next() || ledger_.settled(s))
    return;
  const auto result = tallies_.add(voter, s, v, o.now());
  if (result.full)
    rare(o, "mencius learner: no room for a slot's votes");
  if (result.fresh && v.at == ballot{})
    moved(lanes_.of(s), s + 1, o);
  if (!result.chosen)
    return;
  if (v.at == ballot{}) {
    // Votes for others' batches may have waited for one another on their way, bytes never do.
    const auto body = lanes_.of(s) == own_ ? bodies_.end() : bodies_.find(s);
    watch_.took(o.now() - (body == bodies_.end() ? result.since : std::min(result.since, body->second.at)));
  }
  choose(s, v.id, o);
}

void learner::count(node_id voter, const NoopVote& vote, out& o) {
  if (vote.lane() >= lanes_.size() || vote.from() >= vote.to())
    return;
  const auto result = tallies_.add(voter, vote);
  if (result.full)
    rare(o, "mencius learner: no room for a range's votes");
  for (const auto& [begin, end] : result.chosen)
    noop(vote.lane(), lanes_.slot_at(vote.lane(), begin), lanes_.slot_at(vote.lane(), end), o);
}

void learner::choose(slot s, const batch_id& id, out& o) {
  if (!ledger_.choose(s, id))
    return;
  if (lanes_.of(s) == own_) {
    Decided msg;
    msg.set_slot(s);
    quorate::to_wire(id, msg.mutable_id());
    o.send(self_, std::move(msg));
  }
  const auto body = bodies_.find(s);
  if (body == bodies_.end())
    return;
  ledger_.supply(s, body->second.id, body->second.bytes);
  body_bytes_ -= body->second.bytes.size();
  bodies_.erase(body);
}

void learner::noop(lane l, slot from, slot to, out& o) {
  from = std::max(from, ledger_.next());
  if (from >= to)
    return;
  ledger_.noop(l, from, to);
  if (l != own_)
    return;
  Voided msg;
  msg.set_from(from);
  msg.set_to(to);
  o.send(self_, std::move(msg));
}

void learner::noop_everywhere(slot from, slot to, out& o) {
  for (lane l = 0; l < lanes_.size(); ++l)
    noop(l, from, to, o);
}

void learner::learn(const Claim& claim, out& o) {
  if (claim.lane() >= lanes_.size() || claim.from() >= claim.upto())
    return;
  // The owner's own proposer knows what it has skipped.
  if (claim.lane() == own_)
    ledger_.noop(own_, claim.from(), claim.upto());
  else
    noop(claim.lane(), claim.from(), claim.upto(), o);
  // Passed on as it was said: parts of two claims may say what nobody has said.
  auto& latest = claims_[claim.lane()];
  if (std::pair{claim.upto(), claim.from()} > std::pair{latest.upto(), latest.from()}) {
    latest = claim;
    moved(claim.lane(), claim.upto(), o);
  }
}

void learner::on(node_id from, const with_payload<Body>& msg, out& o) {
  heard(from, o);
  const auto s = msg.head.slot();
  hear(s + 1, o);
  // From our acceptor, as it came there. Short ones overtake, so they tell nothing of those before them.
  if (auto& came = long_batches_[lanes_.of(s)];
      from == self_ && msg.body.size() > link_account::short_bytes_max && s >= came.end) {
    const auto copies = static_cast<duration::rep>(quorum_.size() - 1);
    const auto took = std::min<duration>(account_->transfer(lanes_.owner(lanes_.of(s))), transfer_max);
    came = {s + 1, came.end, o.now() + took * copies};
  }
  supply(s, quorate::from_wire(msg.head.id()), msg.body, o);
  deliver(o);
}

void learner::supply(slot s, const batch_id& id, const payload& body, out& o) {
  if (body.empty() || s < ledger_.next() || ledger_.supply(s, id, body) || ledger_.settled(s))
    return;
  auto& known = bodies_[s];
  const auto body_at = known.bytes.empty() ? o.now() : known.at;
  body_bytes_ += body.size();
  body_bytes_ -= known.bytes.size();
  known = {id, body, body_at};
  // The furthest can be asked for again when their turn comes.
  while (body_bytes_ > limits_.bodies_bytes_max && bodies_.size() > 1) {
    rare(o, "mencius learner: no room for a batch that is not chosen");
    const auto last = std::prev(bodies_.end());
    body_bytes_ -= last->second.bytes.size();
    bodies_.erase(last);
  }
}

void learner::hear(slot high, out& o) {
  if (high <= high_)
    return;
  if (!held_up()) {
    held_since_ = o.now();
    ask_every_ = ask_after;
    ask_at_ = o.now() + ask_after;
  }
  high_ = high;
  InUse msg;
  msg.set_high(high);
  o.send(self_, std::move(msg));
  news(o);
  arm(o);
}

void learner::news(out& o) {
  if (o.now() - news_at_ > news_fresh)
    set_position_timer(position_every, o);
  news_at_ = o.now();
}

// --- delivery
// --------------------------------------------------------------------------------------------------

void learner::deliver(out& o) {
  const auto before = ledger_.next();
  while (auto next = ledger_.take_next()) {
    auto& [s, value] = *next;
    tallies_.drop(s);
    slow_.goes_on(s, watch_.round(), o.now());
    o.send(self_, delivered{std::move(value), cursor{s + 1}, generation_});
  }
  note_waiting(o);
  if (ledger_.next() == before)
    return;
  tallies_.drop_below(ledger_.next());
  while (!bodies_.empty() && bodies_.begin()->first < ledger_.next()) {
    body_bytes_ -= bodies_.begin()->second.bytes.size();
    bodies_.erase(bodies_.begin());
  }
  ask_every_ = ask_after;
  ask_at_ = o.now() + ask_after;
  news(o);
  finish_barriers(o);
}

void learner::note_waiting(out& o) {
  const auto first = ledger_.first_waiting();
  if (!first || !first->has_body) {
    slow_.nothing_waits();
    return;
  }
  if (on_its_way(ledger_.front(ledger_.lowest()), o.now())) {
    slow_.nothing_waits();  // its link is slow, and would not be faster with its commands for others on it
    return;
  }
  slow_.waits(first->at, ledger_.lowest(), o.now());
  // Who does not hear the owner itself knows nothing of its pace.
  if (const auto slow = slow_.slowest(o.now());
      slow && *slow != own_ && watch_.heard_within(*slow, slow_lanes::window, o.now()))
    o.send(lanes_.owner(*slow), Slow{});
}

// --- time
// --------------------------------------------------------------------------------------------------

void learner::on(timer_tag tag, out& o) {
  notice_absence(o.now());
  if (tag == position_timer) {
    tell_position(o);
    set_position_timer(o.now() - news_at_ > news_fresh ? position_idle : position_every, o);
    revoke(o);
    return;
  }
  armed_ = false;
  if (behind())
    check_behind(o);
  else
    lag_.over();
  if (held_up() && !lag_.waits_for_sync(ledger_.next(), o.now())) {
    if (o.now() >= ask_at_) {
      ask(o);
      ask_every_ = std::min(ask_every_ * 2, ask_every_max);
      ask_at_ = o.now() + ask_every_;
    }
    revoke(o);
  }
  barriers_.ask_again(o.now(), lanes_.members(), [&](std::uint64_t number, const std::vector<node_id>& whom) {
    query(number, whom, o);
  });
  arm(o);
}

void learner::arm(out& o) {
  if (armed_ || (!held_up() && barriers_.empty() && !behind()))
    return;
  armed_ = true;
  // At the latest when a lane is to be revoked: the others wait for that.
  const auto due = watch_.next_due();
  const auto after =
      due && *due > o.now() ? std::clamp<duration>(*due - o.now(), tick_min, tick) : duration{tick};
  tick_due_ = o.now() + after;
  o.set_timer(tick_timer, after);
}

void learner::set_position_timer(duration after, out& o) {
  position_due_ = o.now() + after;
  o.set_timer(position_timer, after);
}

void learner::notice_absence(time_point now) {
  const auto due = armed_ ? std::min(tick_due_, position_due_) : position_due_;
  if (now < due + absence_min)
    return;
  watch_.absent(now - due, now);
  slow_.absent(now - due, now);
  tick_due_ = std::max(tick_due_, now);
  position_due_ = std::max(position_due_, now);
}

// --- fast-forward
// --------------------------------------------------------------------------------------

void learner::on(node_id from, const fast_forward& msg, out& o) {
  if (from != self_)
    return;
  generation_ = msg.generation;
  if (msg.at.value < ledger_.next()) {
    rare(o, msg.at.value < ledger_.past_from() ? "mencius learner: goes back behind what it remembers"
                                              : "mencius learner: goes back");
    o.note(severity::info,
           "goes back from slot " + std::to_string(ledger_.next()) + " to " + std::to_string(msg.at.value));
  }
  ledger_.go_to(msg.at.value);
  tallies_.drop_below(msg.at.value);
  lag_.over();
  slow_.nothing_waits();
  barriers_.void_asked();
  ask_every_ = ask_after;
  ask_at_ = o.now() + ask_after;
  Advanced over;
  over.set_slot(msg.at.value);
  o.send(self_, std::move(over));
  hear(msg.at.value, o);
  deliver(o);
  arm(o);
}

}  // namespace quorate::mencius
