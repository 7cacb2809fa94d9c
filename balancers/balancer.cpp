#include "balancers/balancer.hpp"

#include "actors/ensure.hpp"
#include "actors/members.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr timer_tag tell{1};
constexpr duration tell_after = std::chrono::milliseconds{100};  // figures that have changed

}  // namespace

balancer::balancer(balancer_setup setup)
    : setup_(std::move(setup)), accounts_(ids_of(setup_.members), setup_.self, setup_.outstanding_max) {}

void balancer::start(out& o) {
  choose(setup_.chosen, o);
}

void balancer::choose(const balancers::chosen_policy& chosen, out& o) {
  setup_.chosen = chosen;
  policy_ = chosen.make();
  ENSURE(policy_, "the balancer's policy " + chosen.name + " cannot be made");
  offered_once_ = false;
  accounts_.begin();
  // send_now, here and below: a balancer saves nothing.
  o.send_now(setup_.self, route_mode{policy_->stays_home()});
  o.note(severity::info, "policy " + chosen.name);
  on(tell, o);
}

void balancer::on(node_id, const policy_change& msg, out& o) {
  choose(msg.chosen, o);
  wake_edge(o);
}

void balancer::offer(std::vector<balancers::candidate> nodes) {
  const auto same =
      offered_once_ && std::equal(nodes.begin(), nodes.end(), offered_.begin(), offered_.end(),
                                  [](const auto& a, const auto& b) { return a.node == b.node; });
  offered_ = std::move(nodes);
  offered_once_ = true;
  outstanding_ = 0;
  for (const auto& c : offered_)
    outstanding_ += c.outstanding;
  if (!same && !offered_.empty())
    policy_->nodes_changed(offered_);
}

void balancer::on(node_id, const route& msg, out& o) {
  // What others have had before goes home in the end: a node's way to its own replica loses nothing.
  const auto again = !msg.avoid.empty();
  if (policy_->stays_home())
    offer({accounts_.of(setup_.self)});
  else
    offer(accounts_.pickable(msg.avoid));
  if (again && offered_.empty())
    offer({accounts_.of(setup_.self)});
  std::map<node_id, std::vector<command>> parts;
  routed answer;
  for (const auto& c : msg.commands) {
    if (offered_.empty()) {
      answer.nowhere.push_back(c.id);
      continue;
    }
    const auto at = policy_->pick(c.key, {offered_, outstanding_}, o.prng());
    ENSURE(at < offered_.size(), "policy " + setup_.chosen.name + " picks a node that is not there");
    const auto node = offered_[at].node;
    accounts_.hand_over(node);
    ++offered_[at].outstanding;
    ++outstanding_;
    parts[node].push_back(c);
    if (!again && !policy_->stays_home() && accounts_.full(node))
      offer(accounts_.pickable({}));
  }
  for (auto& [node, commands] : parts) {
    routed::group group{node, {}};
    for (const auto& c : commands)
      group.ids.push_back(c.id);
    answer.list.push_back(std::move(group));
    if (node == setup_.self)
      o.send_now(node, submission{std::move(commands)});  // its node would only pass it on
    else
      o.send_now(node, handover{std::move(commands)});
  }
  turned_away_ = turned_away_ || !answer.nowhere.empty();
  o.send_now(setup_.self, std::move(answer));
  arm(o);
}

void balancer::on(node_id, const feedback& msg, out& o) {
  accounts_.learn(msg);
  wake_edge(o);
  arm(o);
}

void balancer::on(node_id, const nodes_seen& msg, out& o) {
  auto lost = accounts_.see(msg);
  if (!lost.empty())
    o.send_now(setup_.self, nodes_lost{std::move(lost)});
  wake_edge(o);
  arm(o);
}

void balancer::wake_edge(out& o) {
  if (!turned_away_ || accounts_.pickable({}).empty())
    return;
  turned_away_ = false;
  o.send_now(setup_.self, route_again{});
}

void balancer::arm(out& o) {
  if (armed_)
    return;
  armed_ = true;
  o.set_timer(tell, tell_after);
}

void balancer::on(timer_tag, out& o) {
  armed_ = false;
  o.send_now(setup_.self, balancer_figures{setup_.chosen.name, setup_.chosen.options, accounts_.figures()});
}

}  // namespace quorate
