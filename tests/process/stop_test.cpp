// SIGTERM and SIGINT.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"
#include "tests/process/wrapped_node.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

using clock = std::chrono::steady_clock;

TEST_CASE("SIGTERM and SIGINT stop a node cleanly, with idle clients connected, and it is soon back") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  for (const auto signal : {SIGTERM, SIGINT}) {
    auto idle = cluster.client(1);
    REQUIRE(idle.get("/healthz"));
    CHECK(cluster.stop(1, signal));
    const auto again = clock::now();
    cluster.launch(1);
    CHECK(cluster.wait_healthy(1, 5s));
    CHECK(clock::now() - again < 5s);
  }
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("a node goes on after signals that mean something to other programs") {
  process_cluster cluster{lone_node()};
  INFO(cluster.report());
  REQUIRE(cluster.start());
  for (const auto signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ})
    cluster.signal(1, signal);
  REQUIRE(cluster.wait_log(1, "goes on after SIGHUP"));
  CHECK(cluster.healthy(1));
  // Also before it has begun to serve: a terminal may close at any moment.
  CHECK(cluster.stop(1));
  for (int i = 0; i < 10; ++i) {
    cluster.launch(1);
    for (int k = 0; k < 20; ++k) {
      std::this_thread::sleep_for(1ms);
      if (!cluster.log_lines(1, "").empty())
        cluster.signal(1, SIGHUP);
    }
    REQUIRE(cluster.wait_healthy(1));
    CHECK(cluster.stop(1));
  }
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("a node stops in time before its cluster is founded") {
  process_cluster cluster;
  INFO(cluster.report());
  cluster.launch(1);
  REQUIRE(cluster.wait_log(1, "serves clients"));
  CHECK(cluster.stop(1));
}

TEST_CASE("a node stops in time while nobody else is up") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  cluster.kill9(2);
  cluster.kill9(3);
  // With requests that will not be answered before their own deadline.
  append_clients clients{"c", {cluster.http_port(1)}, {.per_node = 4, .timeout = 20s}};
  std::this_thread::sleep_for(500ms);
  CHECK(cluster.stop(1, SIGTERM, 6s));
  const auto history = clients.stop();
  CHECK(history.count(append_fate::acknowledged) == 0);
  REQUIRE(heal_and_check(cluster, history) == "");
}

TEST_CASE("all nodes stop cleanly under load, also while another one is frozen, and nothing is lost") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append_history all;
  append_clients clients{"c", cluster.http_ports(), {.per_node = 8}};
  while (clients.acknowledged() < 200)
    std::this_thread::sleep_for(10ms);
  cluster.freeze(3);
  CHECK(cluster.stop(1));
  cluster.launch(1);
  std::this_thread::sleep_for(1'500ms);
  CHECK(cluster.stop(2, SIGINT));
  cluster.thaw(3);
  cluster.launch(2);
  CHECK(cluster.wait_all_healthy(10s));
  for (std::size_t n = 1; n <= 3; ++n)
    CHECK(cluster.stop(n));
  all.add(clients.stop());

  const auto again = clock::now();
  REQUIRE(cluster.start());
  CHECK(clock::now() - again < 10s);
  REQUIRE(heal_and_check(cluster, all) == "");
}

}  // namespace
