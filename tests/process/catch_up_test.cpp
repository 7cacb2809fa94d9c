// A node that was away while the others went on.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

/// Appends through the first two nodes until `count` are acknowledged.
void append_without_n3(process_cluster& cluster, std::uint64_t count, client_habits habits,
                       append_history& all) {
  append_clients clients{"away", {cluster.http_port(1), cluster.http_port(2)}, habits};
  for (const auto end = std::chrono::steady_clock::now() + 60s;
       clients.acknowledged() < count && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(10ms);
  CHECK(clients.acknowledged() >= count);
  all.add(clients.stop());
}

TEST_CASE("a node that was away for thousands of entries catches up") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  cluster.kill9(3);
  append_history all;
  append_without_n3(cluster, 5'000, {.per_node = 16}, all);
  REQUIRE(heal_and_check(cluster, all) == "");
}

TEST_CASE("a node for which the others' logs were cut gets a snapshot") {
  process_cluster cluster{{.more_spec = "limits { log-bytes = 1048576 }"}};
  INFO(cluster.report());
  REQUIRE(cluster.start());
  cluster.kill9(3);
  append_history all;
  append_without_n3(cluster, 200, {.per_node = 4, .timeout = 10s, .read_every = 0, .value_bytes = 50'000},
                    all);
  REQUIRE(heal_and_check(cluster, all) == "");
  CHECK_FALSE(cluster.log_lines(3, "snapshot").empty());
}

}  // namespace
