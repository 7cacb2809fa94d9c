#include "protocols/mencius/proposer.hpp"

#include "actors/ensure.hpp"
#include "protocols/mencius/proposer_rows.hpp"

#include <algorithm>
#include <set>

namespace quorate::mencius {

namespace {

constexpr timer_tag tick_timer{1};
constexpr timer_tag yield_timer{2};
constexpr duration lost_margin = std::chrono::milliseconds{1};

}  // namespace

proposer::proposer(const protocol_context& context) : proposer(context, majority{context.members.size()}) {}

proposer::proposer(const protocol_context& context, majority quorum)
    : proposer(context, quorum, lane_blocks::of(context.limits)) {}

proposer::proposer(const protocol_context& context, majority quorum, lane_blocks blocks)
    : self_(context.self), boot_(context.boot), lanes_(context.ids()), quorum_(quorum),
      account_(context.account), own_(lanes_, lanes_.of(context.self), blocks), high_(context.start.value),
      faster_(context.self) {
  const auto wrong = read_options(context.options, options_);
  ENSURE(!wrong, wrong->message);
}

void proposer::recover(const journal_view& saved) {
  if (const auto row = saved.get(rows::rounds_key))
    next_round_ = rounds_ = rows::ceiling(*row);  // any round below may have been used
  if (const auto row = saved.get(rows::ceiling_key))
    own_.begin_at(rows::ceiling(*row));
}

void proposer::start(out& o) {
  active_at_ = o.now();
  Began where;
  where.set_slot(own_.begin());
  o.send(self_, std::move(where));
  own_.skip_to(high_);
  move_on(o);
  o.set_timer(yield_timer, options_.yield_after);
}

// --- own slots
// -------------------------------------------------------------------------------------------------

void proposer::move_on(out& o) {
  if (const auto ceiling = own_.to_reserve()) {
    o.save(std::string{rows::ceiling_key}, rows::ceiling_bytes(*ceiling));
    Reserved durable;
    durable.set_ceiling(*ceiling);
    o.send(self_, std::move(durable));
  }
  if (const auto skipped = own_.new_claim()) {
    OwnClaim msg;
    msg.mutable_claim()->set_lane(lanes_.of(self_));
    msg.mutable_claim()->set_from(skipped->from);
    msg.mutable_claim()->set_upto(skipped->upto);
    // Lies below a ceiling that is durable, and is never taken back.
    o.send_now(self_, std::move(msg));
  }
}

void proposer::on(node_id from, const Reserved& msg, out& o) {
  if (from != self_)
    return;
  own_.reserved(msg.ceiling());
  move_on(o);
  fill_window(o);
}

void proposer::hear(slot high, out& o) {
  if (high <= high_)
    return;
  high_ = high;
  const auto skipped = own_.skip_to(high_);
  if (idle_ && own_.next() - high_ < distance(o.now()) / 2)
    yield(o);
  else if (skipped)
    move_on(o);
}

void proposer::on(node_id from, const InUse& msg, out& o) {
  if (from == self_)
    hear(msg.high(), o);
}

void proposer::on(node_id from, const Promised& msg, out& o) {
  // A suggestion below it would be refused.
  if (from == self_ && own_.skip_to(msg.to()))
    move_on(o);
}

slot proposer::distance(time_point now) const {
  return slow(now) ? own_.blocks().reach : own_.blocks().yield;
}

void proposer::yield(out& o) {
  idle_ = true;
  // Not from where it stands: that may be far ahead already.
  own_.skip_to(std::max(own_.next(), high_ + distance(o.now())));
  move_on(o);
}

// --- commands
// --------------------------------------------------------------------------------------------------

void proposer::on(node_id, const propose& msg, out& o) {
  for (const auto& c : msg.commands)
    queue_.push({c, false});
  fill_window(o);
}

void proposer::fill_window(out& o) {
  if (slow(o.now()))
    hand_off(o);
  while (open_.size() < options_.window && own_.usable() && (!queue_.empty() || !foreign_.empty())) {
    suggestion x;
    if (!foreign_.empty()) {
      x.body = foreign_.front().body;
      x.handed = std::move(foreign_.front());
      foreign_.pop_front();
    } else if (slow(o.now()) && proven_) {
      break;  // they go to a faster member as well, when their turn comes
    } else {
      x.commands = queue_.take_batch();
      x.body = encode(x.commands);
    }
    suggest(std::move(x), o);
  }
  arm(o);
}

void proposer::suggest(suggestion x, out& o) {
  if (idle_) {
    idle_ = false;
    o.set_timer(yield_timer, options_.yield_after);
  }
  active_at_ = o.now();
  const auto place = own_.use();
  x.id = {self_, boot_, ++batches_};
  x.since = place.since;
  x.begun = x.sent_at = o.now();
  x.silence = options_.resend_after;
  x.repeat_at = o.now() + x.silence;
  high_ = std::max(high_, place.at + 1);
  send_suggestion(place.at, x, lanes_.members(), o);
  open_.emplace(place.at, std::move(x));
  move_on(o);
}

void proposer::send_suggestion(slot s, const suggestion& x, const std::vector<node_id>& to, out& o) {
  with_payload<Suggest> msg{{}, x.body};
  msg.head.set_slot(s);
  msg.head.set_since(x.since);
  quorate::to_wire(x.id, msg.head.mutable_id());
  msg.head.set_high(high_);
  // Needs no vote of our own first: the slot lies below a durable ceiling, and is never used twice.
  o.send_now(to, std::move(msg));
}

/// To those who have taken what was sent before: to others it is still on its way.
void proposer::suggest_again(slot s, suggestion& x, out& o) {
  if (const auto to = x.gate.open_to(*account_, lanes_.members()); !to.empty())
    send_suggestion(s, x, to, o);
}

void proposer::on(node_id from, const take_back& msg, out& o) {
  std::set<command_id> asked(msg.ids.begin(), msg.ids.end());
  // The same command may have been proposed twice: one copy that has left speaks for all.
  const auto left = [&](const std::vector<queued>& commands) {
    for (const auto& q : commands)
      asked.erase(q.what.id);
  };
  for (const auto& [s, x] : open_)
    left(x.commands);
  for (const auto& [number, h] : handed_)
    left(h.commands);
  for (const auto& q : queue_.list())
    if (q.in_doubt)
      asked.erase(q.what.id);
  not_ordered answer;
  answer.id = msg.id;
  queue_.erase_if([&](const queued& q) {
    if (!asked.contains(q.what.id))
      return false;
    answer.ids.push_back(q.what.id);
    return true;
  });
  // Holds without anything on the disk, since a restart forgets the queue: a slow sync must not delay it.
  o.send_now(from, std::move(answer));
}

void proposer::settle(std::map<slot, suggestion>::iterator which, bool in_doubt) {
  auto& x = which->second;
  if (x.handed)
    foreign_.push_front(std::move(*x.handed));
  else
    queue_.put_back(std::move(x.commands), in_doubt);
  open_.erase(which);
}

void proposer::on(node_id from, const Decided& msg, out& o) {
  if (from != self_)
    return;
  const auto found = open_.find(msg.slot());
  if (found == open_.end())
    return;
  const auto& x = found->second;
  ENSURE(x.id == quorate::from_wire(msg.id()), "mencius proposer " + text(self_) + ": own slot " +
                                                   std::to_string(msg.slot()) +
                                                   " holds somebody else's batch");
  // One that was begun before a partition and ended after it says nothing about rounds: growth takes many.
  round_ += (std::min<duration>(o.now() - x.begun, round_ * 2 + hand_again_min) - round_) / 8;
  if (x.handed)
    o.send_now(x.handed->from, x.handed->receipt);  // chosen: a majority has it on disk
  // What left long before it and is not decided was lost, and everybody waits for it.
  for (auto it = open_.begin(); it != found; ++it)
    if (auto& earlier = it->second; earlier.sent_at + 2 * round_ + lost_margin < x.begun) {
      earlier.sent_at = o.now();
      earlier.repeat_at = o.now() + earlier.silence;
      suggest_again(it->first, earlier, o);
    }
  open_.erase(found);
  fill_window(o);
}

void proposer::on(node_id from, const Voided& msg, out& o) {
  if (from != self_)
    return;
  // Only now: until a slot is known to hold a no-op, its batch may still be chosen.
  for (auto it = open_.lower_bound(msg.from()); it != open_.end() && it->first < msg.to();
       it = open_.lower_bound(msg.from()))
    settle(it, false);
  // Settled before we came to it: what we would suggest there would never be decided.
  if (own_.skip_to(msg.to()))
    move_on(o);
  fill_window(o);
}

void proposer::on(node_id from, const Advanced& msg, out& o) {
  if (from != self_)
    return;
  // What became of our batches cannot be known any more: they are proposed again, sessions remove the repeat.
  while (!open_.empty() && open_.begin()->first < msg.slot())
    settle(open_.begin(), true);
  hear(msg.slot(), o);
  fill_window(o);
}

void proposer::on(node_id from, const Nack& msg, out& o) {
  hear(msg.high(), o);
  next_round_ = std::max(next_round_, msg.promised().round() + 1);
  if (msg.has_ballot() || msg.lane() != lanes_.of(self_)) {
    o.note(severity::debug, "ballot " + text(quorate::from_wire(msg.ballot())) + " is below what " +
                                text(from) + " has promised over lane " + std::to_string(msg.lane()));
    // What one says who has heard of it late, when the range is settled, is no news.
    const auto asked = revocations_.find(msg.lane());
    if (msg.moved() == 0 || asked == revocations_.end() || asked->second.decided() ||
        asked->second.at() != quorate::from_wire(msg.ballot()))
      return;
    // Where a majority promises all the same, it goes on; else our learner is patient again.
    Refused moved;
    moved.set_lane(msg.lane());
    o.send_now(self_, std::move(moved));
    return;
  }
  // Our slots are being revoked. What we have suggested there is decided as itself, or as no-ops. While a
  // majority has not promised that, we go on where we are: one that is deaf may ask itself for any promise.
  auto& to = refused_upto_[from];
  to = std::max(to, msg.to());
  if (own_.skip_to(refused_by_enough()))
    move_on(o);
}

slot proposer::refused_by_enough() const {
  std::vector<slot> list;
  for (const auto& [member, to] : refused_upto_)
    list.push_back(to);
  const auto enough = lanes_.size() - quorum_.size() + 1;
  return list.size() < enough ? 0 : reached_by(enough, list);
}

void proposer::give_way(slot s, out& o) {
  // Not decided although some have not refused it: those may be dead.
  slot to = 0;
  for (const auto& [member, upto] : refused_upto_)
    to = std::max(to, upto);
  if (to > s && own_.skip_to(to))
    move_on(o);
}

// --- time
// ------------------------------------------------------------------------------------------------------

void proposer::on(timer_tag tag, out& o) {
  if (tag == yield_timer) {
    const auto idle_since = o.now() - active_at_;
    if (queue_.empty() && foreign_.empty() && idle_since >= options_.yield_after)
      yield(o);
    else
      o.set_timer(yield_timer,
                  std::max(options_.yield_after - idle_since, duration{options_.yield_after / 4}));
    return;
  }
  armed_ = false;
  // Who stood still itself may have the answer in its mailbox.
  if (const auto late = o.now() - tick_due_; late > absence_min)
    for (auto& [number, h] : handed_)
      h.until += late;
  for (auto& [s, x] : open_) {
    if (x.repeat_at > o.now())
      continue;
    x.silence = std::min(x.silence * 2, silence_max);
    x.repeat_at = o.now() + x.silence;
    x.sent_at = o.now();
    suggest_again(s, x, o);
    give_way(s, o);
  }
  if (std::any_of(handed_.begin(), handed_.end(), [&](const auto& h) { return h.second.until <= o.now(); }))
    take_back_handed(o);
  fill_window(o);
}

void proposer::arm(out& o) {
  if (armed_ || (open_.empty() && handed_.empty()))
    return;
  armed_ = true;
  tick_due_ = o.now() + tick;
  o.set_timer(tick_timer, tick);
}

}  // namespace quorate::mencius
