// Clients of one gateway, whose commands every policy spreads in its own way, while another node dies and
// returns.

#include "balancers/registry.hpp"
#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <functional>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

nlohmann::json cluster_page_of(process_cluster& cluster, std::size_t n) {
  const auto reply = cluster.client(n).get("/cluster");
  return reply && reply->status == 200 ? nlohmann::json::parse(reply->body, nullptr, false)
                                       : nlohmann::json{};
}

bool settles(process_cluster& cluster, const std::function<bool(const nlohmann::json&)>& good) {
  for (int i = 0; i < 500; ++i) {
    const auto page = cluster_page_of(cluster, 1);
    if (page.is_object() && good(page))
      return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

/// Whether node 1's balancer would pick any of the three, owes nobody anything, and has the policy.
bool ready(const nlohmann::json& page, const std::string& policy) {
  if (page["balancer"] != policy || page["members"].size() != 3)
    return false;
  return std::ranges::all_of(page["members"], [](const auto& m) {
    return m.contains("commands") && m["commands"]["pickable"] == true && m["commands"]["outstanding"] == 0;
  });
}

TEST_CASE(
    "with every policy nothing acknowledged is lost or doubled when a node that commands go to is killed") {
  process_cluster cluster{{.more_spec = "balancer = \"adaptive\"\n  adaptive { explore_percent = 10 }"}};
  REQUIRE_MESSAGE(cluster.start(), cluster.report());
  const auto of_spec = settles(cluster, [](const auto& page) {
    return ready(page, "adaptive") && page["balancer_options"]["explore_percent"] == "10";
  });
  INFO(cluster.report());
  REQUIRE(of_spec);
  append_history all;
  std::string seen;
  std::size_t victim = 2;
  for (const auto& policy : quorate::all_balancers()) {
    const std::string name{policy.name};
    CAPTURE(name);
    const auto changed = cluster.client(1).request("PUT", "/balancer", R"({"policy":")" + name + "\"}");
    REQUIRE(changed);
    REQUIRE(changed->status == 200);
    REQUIRE(settles(cluster, [&](const auto& page) { return ready(page, name); }));

    append_clients clients{name + "-", {cluster.http_port(1)}, {.per_node = 6, .timeout = 1s}};
    std::this_thread::sleep_for(500ms);
    cluster.kill9(victim);
    std::this_thread::sleep_for(700ms);
    cluster.launch(victim);
    REQUIRE(cluster.wait_healthy(victim));
    std::this_thread::sleep_for(300ms);
    auto history = clients.stop();
    CHECK(history.count(append_fate::acknowledged) > 50);
    seen += " " + name + " " + std::to_string(history.count(append_fate::acknowledged)) + "/" +
            std::to_string(history.count(append_fate::refused)) + "/" +
            std::to_string(history.count(append_fate::unknown));

    // All is settled, so nothing is outstanding; and unless it is local, others had their part.
    REQUIRE(settles(cluster, [&](const auto& page) { return ready(page, name); }));
    const auto page = cluster_page_of(cluster, 1);
    std::uint64_t elsewhere = 0;
    for (const auto& m : page["members"]) {
      const auto& commands = m["commands"];
      const auto home = m.contains("self");
      elsewhere += home ? 0 : commands["taken"].get<std::uint64_t>();
      CHECK(commands["share"].get<double>() <= 1);
      if (home)
        CHECK(commands["latency_ms"] > 0);
    }
    CHECK((elsewhere > 0) == (name != "local"));
    all.add(std::move(history));
    victim = 5 - victim;
  }
  const auto wrong = heal_and_check(cluster, all);
  REQUIRE(wrong == "");
  std::printf("acknowledged/refused/unknown:%s\n", seen.c_str());
}

}  // namespace
