// What a learner does where a slot is in use and not decided: it asks, and then takes it over.
#include "protocols/paxos/learner.hpp"

#include "protocols/heard.hpp"

#include <algorithm>

namespace quorate::paxos {

namespace {

using namespace std::chrono_literals;

constexpr duration heard_lately = 50ms;
constexpr duration transfer_unknown = 10s;  // the first long message is still coming in: the link is slow
constexpr int transfers = 8;                // that may wait in front of one: a proposer's window

}  // namespace

bool learner::on_its_way() const {
  return std::ranges::any_of(others_, [&](node_id n) { return account_->arriving(n); }) ||
         !quorum_.reached(account_->idle_of(others_) + 1);
}

bool learner::worth_waiting(time_point now) const {
  duration longest{};
  for (const auto n : others_)
    longest = std::max(longest, account_->transfer(n));
  return on_its_way() &&
         now - head_since_ <=
             (longest == duration{} ? transfer_unknown : options_.takeover_after + transfers * longest);
}

void learner::ask(out& o) {
  Ask msg;
  msg.set_from(next_);
  msg.set_to(last_in_reach());
  // Votes of all; bytes come free from the acceptor beside us, and else from one that is known to have them.
  if (!others_.empty())
    o.send(others_, msg);
  msg.set_bodies(true);
  o.send(self_, msg);
  if (worth_waiting(o.now()))
    return;
  for (auto it = slots_.begin(); it != slots_.end() && it->first <= msg.to(); ++it) {
    const auto& p = it->second;
    if (!p.chosen_at || p.chosen.noop || !p.bodies.empty())
      continue;
    const auto whom = holder(p, o);
    if (whom == self_)
      continue;
    msg.set_from(it->first);
    o.send(whom, msg);
    return;
  }
}

node_id learner::holder(const progress& p, out& o) const {
  const auto heard = [&](node_id n) {
    const auto found = peers_.find(n);
    return found != peers_.end() && o.now() - found->second.heard <= heard_lately;
  };
  return one_that_is_heard(p.chosen.voters.voters(), self_, heard, o.prng());
}

slot learner::last_in_reach() const {
  return std::min(highest_, next_ + std::min(ask_slots_max, limits_.window_max) - 1);
}

void learner::take_over(out& o) {
  const auto last = last_in_reach();
  auto it = slots_.begin();
  for (auto s = next_; s <= last; ++s) {
    while (it != slots_.end() && it->first < s)
      ++it;
    const auto* p = it != slots_.end() && it->first == s ? &it->second : nullptr;
    if (p && (p->chosen_at || o.now() - p->heard < options_.takeover_after))
      continue;
    Takeover msg;
    msg.set_slot(s);
    o.send(self_, std::move(msg));
  }
}

}  // namespace quorate::paxos
