// No leader, so no failover: what is left goes on as if nothing had happened.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

// How long a node stays away. What is asserted is that the others go on without it, not how fast: the aim (100 ms
// after a kill, 250 ms for a frozen node) is measured and printed, since machines that run tests are busy.
constexpr auto outage = 2s;

TEST_CASE("while any one node is dead or frozen the others go on acknowledging") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append_history all;
  std::string gaps;
  for (std::size_t n = 1; n <= 3; ++n) {
    for (const auto kill : {true, false}) {
      append_clients clients{(kill ? "kill" : "freeze") + std::to_string(n) + "-", cluster.http_ports(), {}};
      std::this_thread::sleep_for(500ms);
      if (kill)
        cluster.kill9(n);
      else
        cluster.freeze(n);
      std::this_thread::sleep_for(outage);
      if (kill)
        cluster.launch(n);
      else
        cluster.thaw(n);
      auto seen = clients.stop();
      const auto gap = std::chrono::ceil<std::chrono::milliseconds>(seen.longest_gap());
      gaps +=
          (kill ? " kill n" : " freeze n") + std::to_string(n) + " " + std::to_string(gap.count()) + " ms";
      CHECK(gap < outage);
      all.add(std::move(seen));
      REQUIRE(cluster.wait_all_healthy());
    }
  }
  const auto wrong = heal_and_check(cluster, all);
  REQUIRE(wrong == "");
  std::printf("longest gaps:%s\n", gaps.c_str());
}

}  // namespace
