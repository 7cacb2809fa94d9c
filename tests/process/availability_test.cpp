// No leader, so no failover: what is left goes on as if nothing had happened.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

// The aim is 100 ms after a kill and 250 ms for a frozen node; machines that run tests are busy.
constexpr auto gap_after_kill_max = 500ms;
constexpr auto gap_while_frozen_max = 750ms;

TEST_CASE("killing or freezing any one node leaves no long gap between acknowledgements") {
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
      std::this_thread::sleep_for(1s);
      if (kill)
        cluster.launch(n);
      else
        cluster.thaw(n);
      auto seen = clients.stop();
      const auto gap = std::chrono::ceil<std::chrono::milliseconds>(seen.longest_gap());
      gaps +=
          (kill ? " kill n" : " freeze n") + std::to_string(n) + " " + std::to_string(gap.count()) + " ms";
      CHECK(gap < (kill ? gap_after_kill_max : gap_while_frozen_max));
      all.add(std::move(seen));
      REQUIRE(cluster.wait_all_healthy());
    }
  }
  const auto wrong = heal_and_check(cluster, all);
  REQUIRE(wrong == "");
  std::printf("longest gaps:%s\n", gaps.c_str());
}

}  // namespace
