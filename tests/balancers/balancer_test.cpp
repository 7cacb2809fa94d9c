#include "balancers/balancer.hpp"

#include "balancers/registry.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr node_id n3{3};

balancer_setup setup_of(const std::string& policy, std::uint64_t outstanding_max = 100) {
  auto chosen = choose_balancer(policy, {});
  return {{{n1, "n1", disk_id{1}}, {n2, "n2", disk_id{2}}, {n3, "n3", disk_id{3}}},
          n1,
          std::get<balancers::chosen_policy>(chosen),
          outstanding_max};
}

nodes_seen all_up() {
  return {{{n1, {true, 0}}, {n2, {true, 0}}, {n3, {true, 0}}}};
}

route commands(std::uint64_t from, std::uint64_t count, std::vector<node_id> avoid = {}) {
  route out;
  for (auto i = from; i < from + count; ++i)
    out.commands.push_back(
        {{session_id{8}, sequence{i}}, 0, command_kind::machine, "k" + std::to_string(i), {}});
  out.avoid = std::move(avoid);
  return out;
}

feedback answered(node_id node, std::uint64_t count, duration each = 1ms) {
  feedback out;
  out.of[node].answered = count;
  out.of[node].waited = each * static_cast<std::int64_t>(count);
  return out;
}

/// The balancer of node 1 of three.
struct desk : lone_role<balancer> {
  explicit desk(const std::string& policy, std::uint64_t outstanding_max = 100)
      : lone_role{setup_of(policy, outstanding_max)} {
    first = start();
    on(n1, all_up());
  }
  [[nodiscard]] balancer_figures figures() {
    pass(100ms);
    tick();
    return sent<balancer_figures>().at(0);
  }
  [[nodiscard]] std::uint64_t outstanding(node_id n) { return figures().of.at(n).outstanding; }
  std::string first;
};

/// A policy that no registry knows.
struct always_second : balancers::policy {
  std::size_t pick(std::string_view, const balancers::choice& from, prng&) override {
    return from.nodes.size() > 1 ? 1 : 0;
  }
};

}  // namespace

TEST_CASE("a balancer hands commands over to nodes, its own to its replica, and says where they went") {
  desk d{"round_robin"};
  CHECK(d.first ==
        "send_now n1 route_mode{ask}\nnote policy round_robin\nsend_now n1 balancer_figures{round_robin}");
  CHECK(d.on(n1, commands(0, 4)) ==
        "send_now n1 submission{8#0+0, 8#3+0}\nsend_now n2 handover{8#1+0}\nsend_now n3 handover{8#2+0}\n"
        "send_now n1 routed{n1: 8#0, 8#3; n2: 8#1; n3: 8#2}");
}

TEST_CASE("with local the edge is told not to ask, and what it hands over is counted all the same") {
  desk d{"local"};
  CHECK(has(d.first, "route_mode{direct}"));
  feedback news;
  news.of[n1] = {5, 3, 0, 0, 6ms};
  d.on(n1, news);
  const auto seen = d.figures().of.at(n1);
  CHECK(seen.taken == 5);
  CHECK(seen.outstanding == 2);
  CHECK(seen.latency == 2ms);
  // What the edge had sent before it heard that.
  CHECK(has(d.on(n1, commands(0, 1)), "send_now n1 submission{8#0+0}"));
}

TEST_CASE("dead, suspected and full nodes get nothing, and the edge is told who is lost") {
  desk d{"round_robin"};
  CHECK(d.on(n1, nodes_seen{{{n1, {true, 0}}, {n2, {false, 0}}, {n3, {true, 100}}}}) ==
        "send_now n1 nodes_lost{n2}");
  d.on(n1, commands(0, 5));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n1: 8#0, 8#1, 8#2, 8#3, 8#4}");
  // Nobody is lost twice.
  CHECK(d.on(n1, nodes_seen{{{n1, {true, 0}}, {n2, {false, 0}}, {n3, {true, 99}}}}) == "");
  d.on(n1, commands(5, 2));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n1: 8#6; n3: 8#5}");
}

TEST_CASE("before anybody was heard of there is only the own node") {
  lone_role<balancer> d{setup_of("round_robin")};
  d.start();
  d.on(n1, commands(0, 2));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n1: 8#0, 8#1}");
}

TEST_CASE("a node with as many of our commands as it may have is full; what nobody can take goes back") {
  desk d{"least_connections", 2};
  d.on(n1, commands(0, 8));
  const auto said = d.sent<routed>().at(0);
  CHECK(said.nowhere.size() == 2);
  for (const auto& g : said.list)
    CHECK(g.ids.size() == 2);
  CHECK(d.on(n1, all_up()) == "");
  // Room again: once, however often there is more.
  CHECK(has(d.on(n1, answered(n2, 1)), "send_now n1 route_again{}"));
  CHECK(!has(d.on(n1, answered(n3, 1)), "route_again"));
}

TEST_CASE(
    "a command that others have had goes to one that has not, and home in the end, even to a full one") {
  desk d{"round_robin", 2};
  d.on(n1, commands(0, 1, {n2}));
  CHECK(has(text(d.sent<routed>().at(0)), "n1: 8#0"));
  d.on(n1, commands(0, 1, {n2}));
  CHECK(has(text(d.sent<routed>().at(0)), "n3: 8#0"));
  d.on(n1, commands(1, 3, {n2, n3}));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n1: 8#1, 8#2, 8#3}");
  // All of this leaves the others as they were.
  d.on(n1, commands(4, 1));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n2: 8#4}");
}

TEST_CASE("latency and failures follow what the edge tells; a node that was away begins anew") {
  desk d{"random"};
  feedback news;
  news.of[n2] = {10, 4, 0, 0, 8ms};
  d.on(n1, news);
  CHECK(d.figures().of.at(n2).latency == 2ms);
  d.on(n1, answered(n2, 1, 12ms));
  CHECK(d.figures().of.at(n2).latency == 4ms);  // a fifth of the way
  news.of[n2] = {0, 0, 1, 0, 500ms};
  d.on(n1, news);
  CHECK(d.figures().of.at(n2).failures == doctest::Approx(0.2));
  CHECK(d.figures().of.at(n2).failed == 1);
  d.on(n1, nodes_seen{{{n2, {false, 0}}}});
  d.on(n1, all_up());
  CHECK(d.figures().of.at(n2).latency == 0ns);
  CHECK(d.figures().of.at(n2).failures == 0);
  CHECK(d.figures().of.at(n2).outstanding == 4);
}

TEST_CASE("the policy can be changed at any time; the counts of outstanding commands stay") {
  desk d{"round_robin"};
  d.on(n1, commands(0, 6));
  const auto changed =
      d.on(n1, policy_change{std::get<balancers::chosen_policy>(choose_balancer("local", {}))});
  CHECK(changed == "send_now n1 route_mode{direct}\nnote policy local\nsend_now n1 balancer_figures{local}");
  const auto seen = d.sent<balancer_figures>().at(0);
  CHECK(seen.of.at(n2).outstanding == 2);
  CHECK(seen.of.at(n2).taken == 0);
  d.on(n1, answered(n2, 2));
  CHECK(d.outstanding(n2) == 0);
}

TEST_CASE("a policy of one's own needs no registry") {
  auto setup = setup_of("local");
  setup.chosen = {"always_second", {}, [] { return std::make_unique<always_second>(); }};
  lone_role<balancer> d{setup};
  d.start();
  d.on(n1, all_up());
  d.on(n1, commands(0, 2));
  CHECK(text(d.sent<routed>().at(0)) == "routed{n2: 8#0, 8#1}");
}

}  // namespace quorate::testing
