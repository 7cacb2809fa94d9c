// A node becomes ten times slower, and well again, under 1,000 commands a second.
#include "balancers/balancer.hpp"

#include "balancers/registry.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr node_id self{1};
constexpr duration step = 1ms;  // one command each

/// Nodes that serve one command after the other, and the balancer of the first of them.
class service {
public:
  service(const std::string& policy, std::uint32_t nodes, std::uint64_t seed)
      : random_(seed), balancer_(setup_of(policy, nodes)), busy_until_(nodes + 1), takes_(nodes + 1, 500us) {
    balancer_.start();
    nodes_seen all;
    for (std::uint32_t i = 1; i <= nodes; ++i)
      all.of[node_id{i}] = {true, 0};
    balancer_.seed(seed);
    balancer_.on(self, all);
  }

  void slow_down(node_id n, int times) { takes_[n.value] = 500us * times; }

  /// The part of all commands that `n` gets during this time.
  double share(node_id n, duration lasts) {
    std::uint64_t all = 0;
    std::uint64_t its = 0;
    for (const auto end = now_ + lasts; now_ < end; now_ += step) {
      settle();
      route one;
      one.commands.push_back({{session_id{1}, sequence{++sent_}}, 0, command_kind::machine, "k", {}});
      balancer_.pass(step);
      balancer_.on(self, one);
      const auto node = balancer_.sent<routed>().at(0).list.at(0).node;
      // What the network adds, there and back.
      const auto between = std::chrono::microseconds{random_.between(300, 700)};
      auto& busy = busy_until_[node.value];
      busy = std::max(busy, now_ + between / 2) + takes_[node.value];
      back_.emplace(busy + between / 2, std::pair{node, now_});
      ++all;
      its += node == n ? 1 : 0;
    }
    return static_cast<double>(its) / static_cast<double>(all);
  }

private:
  static balancer_setup setup_of(const std::string& policy, std::uint32_t nodes) {
    balancer_setup setup;
    for (std::uint32_t i = 1; i <= nodes; ++i)
      setup.members.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
    setup.self = self;
    setup.chosen = std::get<balancers::chosen_policy>(choose_balancer(policy, {}));
    return setup;
  }

  void settle() {
    feedback news;
    while (!back_.empty() && back_.begin()->first <= now_) {
      const auto [node, since] = back_.begin()->second;
      ++news.of[node].answered;
      news.of[node].waited += back_.begin()->first - since;
      back_.erase(back_.begin());
    }
    if (!news.of.empty())
      balancer_.on(self, news);
  }

  prng random_;
  lone_role<balancer> balancer_;
  std::vector<time_point> busy_until_;
  std::vector<duration> takes_;
  std::multimap<time_point, std::pair<node_id, time_point>> back_;
  time_point now_{};
  std::uint64_t sent_ = 0;
};

}  // namespace

TEST_CASE(
    "adaptive: a node ten times slower has less than half its share within a second, and it back in five") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const auto nodes = static_cast<std::uint32_t>(3 + seed % 3);
    const auto fair = 1.0 / nodes;
    service s{"adaptive", nodes, seed};
    const node_id slow{static_cast<std::uint32_t>(1 + seed % nodes)};
    REQUIRE(s.share(slow, 3s) > 0.75 * fair);
    s.slow_down(slow, 10);
    static_cast<void>(s.share(slow, 1s));
    REQUIRE(s.share(slow, 2s) < 0.5 * fair);
    s.slow_down(slow, 1);
    static_cast<void>(s.share(slow, 5s));
    REQUIRE(s.share(slow, 2s) > 0.75 * fair);
  }
}

TEST_CASE("round_robin does not notice: the measure above can fail") {
  service s{"round_robin", 3, 1};
  s.slow_down(node_id{2}, 10);
  static_cast<void>(s.share(node_id{2}, 1s));
  CHECK(s.share(node_id{2}, 1s) > 0.3);
}

}  // namespace quorate::testing
