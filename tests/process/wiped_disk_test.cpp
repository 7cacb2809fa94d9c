// A node whose data directory has been emptied.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

void append_some(const std::string& name, std::vector<std::uint16_t> ports, append_history& all) {
  append_clients clients{name, std::move(ports), {}};
  for (const auto end = std::chrono::steady_clock::now() + 10s;
       clients.acknowledged() < 50 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(10ms);
  CHECK(clients.acknowledged() >= 50);
  all.add(clients.stop());
}

TEST_CASE("a wiped disk says so in one line and does not vote") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append_history all;
  append_some("before", cluster.http_ports(), all);
  cluster.kill9(3);
  cluster.wipe(3);
  cluster.launch(3);
  REQUIRE(cluster.wait_log(3, "wiped"));
  append_some("two", {cluster.http_port(1), cluster.http_port(2)}, all);

  std::this_thread::sleep_for(2s);
  CHECK(cluster.log_lines(3, "wiped").size() == 1);
  CHECK(cluster.log_lines(3, "no vote until it is replaced").size() == 1);
  CHECK(cluster.log_lines(1, "n3 has come with a disk that is not a member's").size() == 1);
  CHECK(cluster.log_lines(2, "n3 has come with a disk that is not a member's").size() == 1);
  auto n3 = cluster.client(3);
  const auto health = n3.get("/healthz");
  REQUIRE(health);
  CHECK(health->status == 503);
  CHECK(health->body.find("wiped") != std::string::npos);
  const auto refused = n3.post("/append_log?timeout_ms=500", append_text("k", "to the wiped one"));
  REQUIRE(refused);
  CHECK(refused->status == 503);

  // One member and a blank node are no majority.
  cluster.kill9(2);
  append_clients alone{"alone", {cluster.http_port(1), cluster.http_port(3)}, {.timeout = 500ms}};
  std::this_thread::sleep_for(3s);
  auto seen = alone.stop();
  CHECK(seen.count(append_fate::acknowledged) == 0);
  CHECK(seen.appends.size() > 4);
  all.add(std::move(seen));
  CHECK_FALSE(cluster.healthy(1));

  cluster.launch(2);
  REQUIRE(cluster.wait_healthy(1));
  REQUIRE(cluster.wait_healthy(2));
  append_some("after", {cluster.http_port(1), cluster.http_port(2)}, all);
  REQUIRE(violations(all, settled_logs(cluster, {1, 2})) == "");
  REQUIRE(cluster.trouble() == "");
}

}  // namespace
