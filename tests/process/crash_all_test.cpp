// The power cut: all nodes at once, as far as kill -9 can show it.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

TEST_CASE("nothing acknowledged is missing after kill -9 of all nodes under load, again and again") {
  process_cluster cluster;
  INFO(cluster.report());
  append_history all;
  for (const std::string round : {"a", "b", "c"}) {
    REQUIRE(cluster.start());
    append_clients clients{round, cluster.http_ports(), {.per_node = 4, .timeout = 1s, .value_bytes = 200}};
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (clients.acknowledged() < 300 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(10ms);
    CHECK(clients.acknowledged() >= 300);
    for (std::size_t n = 1; n <= cluster.size(); ++n)
      cluster.kill9(n);
    all.add(clients.stop());
    REQUIRE(heal_and_check(cluster, all) == "");
  }
  // Those in flight at the moment of the crash are what this test is about.
  CHECK(all.count(append_fate::unknown) > 0);
}

}  // namespace
