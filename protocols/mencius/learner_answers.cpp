// What a learner asks of others, and tells them: facts that they have missed, and barriers.
#include "protocols/mencius/learner.hpp"

#include "actors/rare.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace quorate::mencius {

// --- what others have missed
// ------------------------------------------------------------------------------------

void learner::on(node_id from, const Ask& msg, out& o) {
  heard(from, o);
  if (msg.from() < ledger_.past_from()) {
    rare(o, "mencius learner: is asked for what it has let go");
    Forgotten gone;
    gone.set_floor(ledger_.past_from());
    o.send(from, std::move(gone));
  }
  std::size_t count = 0;
  std::size_t bytes = 0;
  // Who has the bytes, or has our last answer still to take, gets only to know what is chosen.
  const auto with_bytes = answers_.opens(*account_, from);
  const std::set<slot> held{msg.held().begin(), msg.held().end()};
  std::map<lane, slot> coming;
  for (const auto& range : msg.coming())
    coming[range.lane()] = range.from();
  const auto wanted = [&](slot s, std::size_t size) {
    if (!with_bytes || held.contains(s))
      return false;
    if (size <= link_account::short_bytes_max)
      return true;
    const auto from_there = coming.find(lanes_.of(s));
    return !msg.no_long() && (from_there == coming.end() || s < from_there->second);
  };
  const auto send = [&](slot s, slot after, const batch& value) {
    const auto body = wanted(s, value.body.size()) ? value.body : payload{};
    Chosen head;
    head.set_slot(s);
    head.set_after(after);
    quorate::to_wire(value.id, head.mutable_id());
    bytes += body.size();
    ++count;
    o.send(from, with_payload<Chosen>{std::move(head), body});
  };
  const auto full = [&] { return count == limits_.answer_batches_max || bytes >= limits_.answer_bytes_max; };
  const auto& past = ledger_.past();
  auto it = std::lower_bound(past.begin(), past.end(), msg.from(),
                             [](const past_batch& b, slot s) { return b.at < s; });
  for (; it != past.end() && !full(); ++it)
    send(it->at, it->after, it->value);
  for (const auto& [s, value] : ledger_.chosen()) {
    if (full())
      break;
    if (s >= msg.from() && !value.body.empty())
      send(s, s, value);
  }
  if (full())
    rare(o, "mencius learner: answers with a part of the batches");
  Facts facts;
  facts.set_next(ledger_.next());
  facts.set_high(high_);
  *facts.mutable_claims() = {claims_.begin(), claims_.end()};
  if (ledger_.past_end() < ledger_.next()) {
    auto& all = *facts.add_noops();
    all.set_from(ledger_.past_end());
    all.set_to(ledger_.next());
  }
  for (lane l = 0; l < lanes_.size(); ++l) {
    std::size_t ranges = 0;
    for (const auto& [begin, r] : ledger_.noops(l)) {
      if (ranges++ == limits_.answer_ranges_max) {
        rare(o, "mencius learner: answers with a part of the no-ops");
        break;
      }
      auto& one = *facts.add_noops();
      one.set_lane(l);
      one.set_from(lanes_.slot_at(l, begin));
      one.set_to(lanes_.slot_at(l, r.end));
    }
  }
  o.send(from, std::move(facts));
}

void learner::on(node_id from, const Tell& msg, out& o) {
  const auto& all = lanes_.members();
  const node_id asker{msg.node()};
  if (from != self_ || std::find(all.begin(), all.end(), asker) == all.end())
    return;
  Ask asked;
  asked.set_from(msg.from());
  asked.set_no_long(true);
  on(asker, asked, o);
}

void learner::on(node_id from, const Refused& msg, out& o) {
  if (from == self_ && msg.lane() < lanes_.size())
    watch_.refused(msg.lane(), o.now());
}

void learner::on(node_id from, const Facts& msg, out& o) {
  heard(from, o);
  for (const auto& claim : msg.claims())
    learn(claim, o);
  for (const auto& range : msg.noops()) {
    if (!range.has_lane())
      noop_everywhere(range.from(), range.to(), o);
    else if (range.lane() < lanes_.size())
      noop(range.lane(), range.from(), range.to(), o);
  }
  hear(msg.high(), o);
  deliver(o);
}

void learner::on(node_id from, const with_payload<Chosen>& msg, out& o) {
  heard(from, o);
  const auto s = msg.head.slot();
  const auto id = quorate::from_wire(msg.head.id());
  hear(s + 1, o);
  noop_everywhere(msg.head.after(), s, o);
  choose(s, id, o);
  supply(s, id, msg.body, o);
  deliver(o);
}

// --- behind, and how far the others are
// --------------------------------------------------------------------------------------

void learner::check_behind(out& o) {
  if (!behind())
    return;
  const auto duty = lag_.notice(o.now());
  if (duty.begins) {
    rare(o, "mencius learner: is too far behind");
    o.note(severity::info,
           "is too far behind at slot " + std::to_string(ledger_.next()) + ": sync has to help");
  }
  if (duty.complains)
    o.send(self_, fell_behind{});
  arm(o);
}

void learner::on(node_id from, const Forgotten& msg, out& o) {
  heard(from, o);
  lag_.forgotten(from, msg.floor());
  check_behind(o);
}

Position learner::position() const {
  Position msg;
  msg.set_next(ledger_.next());
  msg.set_high(high_);
  for (const auto& claim : claims_)
    if (claim.upto() > 0)
      *msg.add_claims() = claim;
  return msg;
}

void learner::tell_position(out& o) {
  if (!others_.empty())
    o.send(others_, position());
}

void learner::on(node_id from, const Position& msg, out& o) {
  heard(from, o);
  for (const auto& claim : msg.claims())
    learn(claim, o);
  hear(msg.high(), o);
  deliver(o);
  // Who is ahead says so. An answer is never answered: while much is new, both would be a little behind for
  // ever.
  if (msg.answer() || msg.high() >= high_)
    return;
  auto answer = position();
  answer.set_answer(true);
  o.send(from, std::move(answer));
}

// --- barriers
// --------------------------------------------------------------------------------------------------

void learner::on(node_id from, const barrier& msg, out& o) {
  if (from != self_)
    return;
  if (const auto number = barriers_.open(msg.id, o.now()))
    query(*number, lanes_.members(), o);
  arm(o);
}

void learner::query(std::uint64_t number, const std::vector<node_id>& whom, out& o) {
  BarrierQuery msg;
  msg.set_token(number);
  msg.set_boot(boot_.value);
  msg.set_high(high_);
  o.send(whom, std::move(msg));
}

void learner::on(node_id from, const BarrierReply& msg, out& o) {
  heard(from, o);
  // Tokens start anew with each boot: an answer to an earlier one says nothing about now.
  if (msg.boot() != boot_.value)
    return;
  if (const auto target = barriers_.answered(msg.token(), from, msg.high()))
    hear(*target, o);
  finish_barriers(o);
}

void learner::finish_barriers(out& o) {
  for (const auto& id : barriers_.reached(ledger_.next()))
    o.send(self_, reached{id});
}

}  // namespace quorate::mencius
