// What a proposer does about other members: it revokes slots of theirs, and hands commands off or takes them.
#include "protocols/mencius/proposer.hpp"
#include "protocols/mencius/proposer_rows.hpp"

#include <algorithm>

namespace quorate::mencius {

// --- revocation
// ------------------------------------------------------------------------------------------------

ballot proposer::next_ballot(out& o) {
  const auto round = next_round_++;
  if (round >= rounds_) {
    rounds_ = round + rounds_reserved;
    o.save(std::string{rows::rounds_key}, rows::ceiling_bytes(rounds_));
  }
  return {round, self_};
}

void proposer::on(node_id from, const Revoke& msg, out& o) {
  if (from != self_ || msg.lane() >= lanes_.size() || msg.from() >= msg.to())
    return;
  const span_of_lane range{msg.lane(), msg.from(), msg.to()};
  const auto at = next_ballot(o);
  revocations_.insert_or_assign(range.which, revocation{lanes_, range, at});
  o.note(severity::debug, "revokes [" + std::to_string(range.from) + ", " + std::to_string(range.to) +
                              ") of " + text(lanes_.owner(range.which)) + " with " + text(at));
  Prepare ask;
  ask.set_lane(range.which);
  ask.set_from(range.from);
  ask.set_to(range.to);
  quorate::to_wire(at, ask.mutable_ballot());
  ask.set_high(high_);
  // Waits for the ceiling of rounds: a ballot that a restart would use again must not be heard of.
  o.send(lanes_.members(), std::move(ask));
}

void proposer::on(node_id from, const Promise& msg, out& o) {
  hear(msg.high(), o);
  const auto at = quorate::from_wire(msg.ballot());
  for (auto& [l, r] : revocations_) {
    // Only the very ballot counts: an older one's promises say nothing about what was voted for since.
    if (r.at() != at || !r.promised(from, msg, quorum_))
      continue;
    AcceptNoops msg_out;
    *msg_out.mutable_vote() = to_wire(r.range(), at);
    for (const auto& [s, vote] : r.batches())
      msg_out.mutable_vote()->add_but(s);
    msg_out.set_high(high_);
    // Its ballot was durable before the Prepare that it follows.
    o.send_now(lanes_.members(), std::move(msg_out));
    accept(r, o);
    return;
  }
}

void proposer::on(node_id, const with_payload<Found>& msg, out& o) {
  const auto at = quorate::from_wire(msg.head.ballot());
  for (auto& [l, r] : revocations_)
    if (r.at() == at && !msg.body.empty()) {
      r.found(msg.head.slot(), quorate::from_wire(msg.head.id()), msg.body);
      accept(r, o);
      return;
    }
}

void proposer::accept(revocation& r, out& o) {
  if (!r.decided())
    return;
  while (const auto next = r.next_batch()) {
    with_payload<Accept> msg{{}, next->second.body};
    msg.head.set_slot(next->first);
    quorate::to_wire(r.at(), msg.head.mutable_ballot());
    quorate::to_wire(next->second.id, msg.head.mutable_id());
    msg.head.set_high(high_);
    // As above.
    o.send_now(lanes_.members(), std::move(msg));
  }
  if (r.done())
    revocations_.erase(r.range().which);
}

// --- hand-off
// --------------------------------------------------------------------------------------------------

void proposer::on(node_id from, const Slow&, out& o) {
  if (from == self_ || lanes_.size() < 2)
    return;
  complaints_[from] = o.now();
  std::erase_if(complaints_, [&](const auto& c) { return o.now() - c.second > complaint_lasts; });
  // One may be late itself, or not hear us: more must say so than may be faulty. Where so many are not left, our
  // vote is needed anyway, and nothing is gained by a hand-off.
  if (complaints_.size() <= lanes_.size() - quorum_.size())
    return;
  if (!slow(o.now())) {
    const auto usable = std::find_if(complaints_.begin(), complaints_.end(),
                                     [&](const auto& c) { return c.first != useless_; });
    if (usable == complaints_.end())
      return;
    // Soon again after we had tried for ourselves: longer this time.
    slow_for_ = o.now() < slow_until_ + slow_for ? std::min(slow_for_ * 2, slow_for_max) : slow_for;
    faster_ = useless_ != from ? from : usable->first;
    o.note(severity::info,
           "holds up the others: " + text(faster_) + " orders this node's commands for a while");
    proven_ = false;
    slow_until_ = o.now() + slow_for_;
    yield(o);
  }
  fill_window(o);
}

void proposer::hand_off(out& o) {
  // One, until it has been decided there: the others are ordered here meanwhile.
  while (!queue_.empty() && handed_.size() < (proven_ ? handed_max : 1)) {
    const auto number = ++hand_offs_;
    auto& h = handed_[number];
    h.commands = queue_.take_batch();
    h.until = o.now() + hand_again();
    with_payload<HandOff> msg{{}, encode(h.commands)};
    msg.head.set_number(number);
    msg.head.set_boot(boot_.value);
    // A request, like any proposal.
    o.send_now(faster_, std::move(msg));
  }
}

void proposer::take_back_handed(out& o) {
  // Nobody says that they were ordered: from now on they are our own business again. They may still be ordered
  // there.
  o.note(severity::info, text(faster_) + " does not order what was handed to it");
  slow_until_ = o.now();
  useless_ = faster_;
  complaints_.clear();
  while (!handed_.empty()) {
    const auto last = std::prev(handed_.end());
    queue_.put_back(std::move(last->second.commands), true);
    handed_.erase(last);
  }
}

void proposer::on(node_id from, const with_payload<HandOff>& msg, out& o) {
  if (msg.body.empty() || !decode_commands(msg.body.view()) || foreign_.size() >= handed_max * lanes_.size())
    return;
  auto& known = taken_[from];
  if (msg.head.boot() < known.boot)
    return;
  if (msg.head.boot() > known.boot)
    known = {msg.head.boot(), {}};
  // The lowest are forgotten; what comes as late as that has long gone back to its owner.
  const auto full = known.numbers.size() >= taken_max;
  if ((full && msg.head.number() < *known.numbers.begin()) || !known.numbers.insert(msg.head.number()).second)
    return;
  if (full)
    known.numbers.erase(known.numbers.begin());
  foreign one{from, {}, msg.body};
  one.receipt.set_number(msg.head.number());
  one.receipt.set_boot(msg.head.boot());
  foreign_.push_back(std::move(one));
  fill_window(o);
}

void proposer::on(node_id from, const HandedOver& msg, out& o) {
  if (msg.boot() != boot_.value || handed_.erase(msg.number()) == 0)
    return;
  proven_ = proven_ || from == faster_;
  if (useless_ == from)
    useless_ = {};
  fill_window(o);
}

}  // namespace quorate::mencius
