#include "balancers/accounts.hpp"

#include "actors/ensure.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::balancers {

namespace {

constexpr double weight_of_newest = 0.2;  // in an average of the recent ones

/// How much of what was known is left after `count` new observations.
double left_after(std::uint64_t count) {
  return std::pow(1 - weight_of_newest, static_cast<double>(std::min<std::uint64_t>(count, 100)));
}

}  // namespace

accounts::accounts(const std::vector<node_id>& members, node_id self, std::uint64_t outstanding_max)
    : outstanding_max_(outstanding_max) {
  for (const auto n : members) {
    auto& a = all_[n];
    a.known.node = n;
    a.known.self = a.reachable = n == self;
  }
}

std::vector<node_id> accounts::see(const nodes_seen& msg) {
  std::vector<node_id> lost;
  for (auto& [node, a] : all_) {
    const auto found = msg.of.find(node);
    if (found == msg.of.end())
      continue;
    const auto reachable = found->second.reachable || a.known.self;
    if (a.reachable && !reachable)
      lost.push_back(node);
    if (!a.reachable && reachable) {
      // What was known is old; it may be another process on another machine.
      a.known.latency = {};
      a.known.failures = 0;
    }
    a.reachable = reachable;
    a.fill_percent = found->second.fill_percent;
  }
  return lost;
}

void accounts::learn(const feedback& msg) {
  for (const auto& [node, e] : msg.of) {
    const auto found = all_.find(node);
    if (found == all_.end())
      continue;
    auto& a = found->second;
    a.taken += e.taken;
    a.failed += e.failed;
    a.known.outstanding += e.taken;
    const auto settled = e.answered + e.failed + e.released;
    ENSURE(settled <= a.known.outstanding,
           "more commands come back from " + text(node) + " than it was handed");
    a.known.outstanding -= settled;
    const auto seen = e.answered + e.failed;
    if (seen == 0)
      continue;
    const auto newest = static_cast<double>(e.waited.count()) / static_cast<double>(seen);
    const auto before = static_cast<double>(a.known.latency.count());
    const auto left = a.known.latency.count() > 0 ? left_after(seen) : 0;
    a.known.latency =
        std::max(duration{static_cast<std::int64_t>(newest + (before - newest) * left)}, duration{1});
    const auto share = static_cast<double>(e.failed) / static_cast<double>(seen);
    a.known.failures = share + (a.known.failures - share) * left_after(seen);
  }
}

void accounts::hand_over(node_id node) {
  auto& a = all_.at(node);
  ++a.known.outstanding;
  ++a.taken;
}

void accounts::begin() {
  for (auto& [node, a] : all_)
    a.taken = 0;
}

bool accounts::full(const account& a) const {
  return a.fill_percent >= 100 || a.known.outstanding >= outstanding_max_;
}

bool accounts::full(node_id node) const {
  return full(all_.at(node));
}

std::vector<candidate> accounts::pickable(const std::vector<node_id>& avoid) const {
  std::vector<candidate> out;
  for (const auto& [node, a] : all_) {
    if (a.reachable && !full(a) && std::find(avoid.begin(), avoid.end(), node) == avoid.end())
      out.push_back(a.known);
  }
  return out;
}

std::map<node_id, balancer_figures::account> accounts::figures() const {
  std::map<node_id, balancer_figures::account> out;
  for (const auto& [node, a] : all_)
    out[node] = {a.reachable && !full(a), a.taken,         a.known.outstanding, a.failed,
                 a.known.latency,         a.known.failures};
  return out;
}

}  // namespace quorate::balancers
