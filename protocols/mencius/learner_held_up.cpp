// What a learner does where something is in use and not settled: it asks, and then has it revoked.
#include "protocols/mencius/learner.hpp"

#include "actors/rare.hpp"
#include "protocols/heard.hpp"

#include <algorithm>

namespace quorate::mencius {

namespace {

using namespace std::chrono_literals;

constexpr duration heard_lately = 50ms;
constexpr duration listen_every_min = 10ms;
constexpr duration listen_every_max = 160ms;

}  // namespace

bool learner::on_its_way(slot s, time_point now) const {
  const auto l = lanes_.of(s);
  if (l != own_) {
    // Long suggestions come in the order of their slots: what was behind the latest that has come was lost.
    const auto& came = long_batches_[l];
    return s >= came.end ? account_->arriving(lanes_.owner(l)) : s >= came.before && now < came.until;
  }
  return !quorum_.reached(account_->idle_of(others_) + 1);
}

slot learner::needed(lane l, time_point now) const {
  if (const auto front = ledger_.front(l); on_its_way(front, now) && (l != own_ || front >= own_wanted_))
    return front;
  auto need = high_;
  if (l == own_)
    need = std::max(need, own_wanted_);
  // The lane of the dead is settled before anybody waits for it.
  else if (high_ > 0 && watch_.silent(l, now) && watch_.first_successor(l, now))
    need += blocks_.reach / 2;
  return need;
}

slot learner::revoke_end() const {
  auto end = high_;
  for (const auto& claim : claims_)
    end = std::max(end, claim.upto());
  return end + blocks_.reach;
}

void learner::revoke(out& o) {
  for (lane l = 0; l < lanes_.size(); ++l) {
    const auto front = ledger_.front(l);
    const auto need = needed(l, o.now());
    // What an earlier boot may have suggested, nobody but this one cares about: at once. So is the lane of
    // the dead, by the first member behind it: with patience its range would be used up before the next one
    // is revoked.
    const auto own_past = l == own_ && front < own_wanted_;
    const auto dead = watch_.silent(l, o.now()) && watch_.first_successor(l, o.now());
    const auto turn = watch_.due(l, front, need, own_past || dead, o.now(), o.prng());
    if (turn == lane_watch::turn::listen)
      listen(o);
    if (turn != lane_watch::turn::yes)
      continue;
    listen_every_ = {};
    Revoke msg;
    msg.set_lane(l);
    msg.set_from(front);
    msg.set_to(own_past ? own_wanted_ : revoke_end());
    o.send(self_, std::move(msg));
  }
}

void learner::listen(out& o) {
  if (o.now() < listen_at_ || others_.empty())
    return;
  listen_every_ = std::clamp<duration>(listen_every_ * 2, listen_every_min, listen_every_max);
  listen_at_ = o.now() + listen_every_;
  Ask msg;
  msg.set_from(ledger_.next());
  msg.set_no_long(true);  // all answer
  o.send(others_, std::move(msg));
}

node_id learner::whom_to_ask(time_point now) {
  for (std::size_t i = 0; i < others_.size(); ++i) {
    const auto other = others_[turns_++ % others_.size()];
    if (watch_.heard_within(lanes_.of(other), heard_lately, now))
      return other;
  }
  return others_[turns_++ % others_.size()];
}

void learner::ask(out& o) {
  for (lane l = 0; l < lanes_.size(); ++l) {
    if (ledger_.front(l) >= high_)
      continue;
    Recall votes;
    votes.set_lane(l);
    votes.set_from(ledger_.front(l));
    votes.set_to(high_);
    if (!others_.empty())
      o.send(others_, votes);
    votes.set_bodies(true);  // free from the acceptor beside us
    o.send(self_, std::move(votes));
  }
  ask_for_bodies(o);
  if (others_.empty() || on_its_way(ledger_.front(ledger_.lowest()), o.now()))
    return;
  Ask msg;
  msg.set_from(ledger_.next());
  for (const auto& [s, body] : bodies_)
    if (static_cast<std::size_t>(msg.held_size()) < limits_.answer_batches_max)
      msg.add_held(s);
  for (const auto& [s, value] : ledger_.chosen())
    if (static_cast<std::size_t>(msg.held_size()) < 2 * limits_.answer_batches_max && !value.body.empty())
      msg.add_held(s);
  for (lane l = 0; l < lanes_.size(); ++l) {
    if (l == own_ || !account_->arriving(lanes_.owner(l)))
      continue;
    auto* coming = msg.add_coming();
    coming->set_lane(l);
    coming->set_from(long_batches_[l].end);
  }
  const auto other = whom_to_ask(o.now());
  o.send(other, msg);
  if (const auto owner = lanes_.owner(ledger_.lowest()); owner != other && owner != self_)
    o.send(owner, std::move(msg));
}

void learner::ask_for_bodies(out& o) {
  for (const auto s : ledger_.missing(limits_.answer_batches_max)) {
    rare(o, "mencius learner: asks for the bytes of a chosen batch");
    Recall msg;
    msg.set_lane(lanes_.of(s));
    msg.set_from(s);
    msg.set_to(s + 1);
    msg.set_bodies(true);
    o.send(self_, msg);  // costs no link anything
    if (on_its_way(s, o.now()))
      continue;
    auto holders = tallies_.voters(s, ledger_.chosen().at(s).id);
    if (holders.empty())
      holders = lanes_.members();
    const auto heard = [&](node_id n) { return watch_.heard_within(lanes_.of(n), heard_lately, o.now()); };
    if (const auto whom = one_that_is_heard(std::move(holders), self_, heard, o.prng()); whom != self_)
      o.send(whom, std::move(msg));
  }
}

}  // namespace quorate::mencius
