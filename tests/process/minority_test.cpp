// A node that reaches no majority.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr auto slack = 1s;

TEST_CASE(
    "a node alone never acknowledges, says so within the deadline, and goes on when another comes back") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append_history all;
  append_clients before{"before", cluster.http_ports(), {.per_node = 2}};
  while (before.acknowledged() < 100)
    std::this_thread::sleep_for(10ms);
  // Under load, so that some commands are cut off half-way.
  cluster.kill9(2);
  cluster.kill9(3);
  std::this_thread::sleep_for(100ms);
  all.add(before.stop());

  const auto timeout = 700ms;
  append_clients alone{"alone", {cluster.http_port(1)}, {.per_node = 8, .timeout = timeout, .read_every = 4}};
  std::this_thread::sleep_for(3s);
  auto seen = alone.stop();
  CHECK(seen.count(append_fate::acknowledged) == 0);
  CHECK(seen.appends.size() >= 16);
  CHECK(seen.reads.empty());
  CHECK(seen.odd.empty());
  // What came when nobody was there any more never left the node, and it says so.
  CHECK(seen.count(append_fate::refused) > 0);
  for (const auto& a : seen.appends)
    REQUIRE(a.returned - a.invoked < timeout + slack);
  all.add(std::move(seen));

  auto n1 = cluster.client(1);
  const auto health = n1.get("/healthz");
  REQUIRE(health);
  CHECK(health->status == 503);
  CHECK(health->body.find("n2") != std::string::npos);
  CHECK(health->body.find("n3") != std::string::npos);
  CHECK(health->has_field("Retry-After"));
  const auto asked = std::chrono::steady_clock::now();
  const auto linearizable = n1.get("/log?timeout_ms=300");
  REQUIRE(linearizable);
  CHECK(linearizable->status == 503);
  CHECK(parse_error(linearizable->body) == "no_quorum");
  CHECK(std::chrono::steady_clock::now() - asked < 300ms + slack);
  const auto local = n1.get("/log?consistency=local");
  REQUIRE(local);
  CHECK(local->status == 200);
  const auto page = n1.get("/cluster");
  REQUIRE(page);
  const auto facts = nlohmann::json::parse(page->body, nullptr, false);
  REQUIRE(facts.is_object());
  CHECK(facts["majority"] == false);
  for (const auto& member : facts["members"])
    CHECK(member["reachable"] == (member["name"] == "n1"));

  cluster.launch(2);
  REQUIRE(cluster.wait_healthy(1));
  append_clients again{"again", {cluster.http_port(1), cluster.http_port(2)}, {}};
  for (const auto end = std::chrono::steady_clock::now() + 10s;
       again.acknowledged() < 50 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(10ms);
  CHECK(again.acknowledged() >= 50);
  all.add(again.stop());
  REQUIRE(heal_and_check(cluster, all) == "");
}

}  // namespace
