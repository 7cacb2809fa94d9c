// A node whose disk has brought back another state than the others have.

#include "runtime/executor.hpp"
#include "runtime/rocks_store.hpp"
#include "runtime/store_keys.hpp"
#include "tests/harness/process/process_cluster.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace {

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr const char* body = R"({"key":"k","value":1})";

unsigned status_of(const std::optional<http_reply>& reply, const char* code) {
  if (!reply || (*code != 0 && reply->body.find(code) == std::string::npos))
    return 0;
  return reply->status;
}

/// The state says of itself that it came about otherwise.
void bend_state(const std::filesystem::path& directory) {
  auto opened = rocks_store::open(directory, database::must_exist);
  REQUIRE(std::holds_alternative<std::unique_ptr<rocks_store>>(opened));
  auto& state = *std::get<std::unique_ptr<rocks_store>>(opened);
  auto point = decode_applied_point(state.get(store_keys::applied).value_or(""));
  REQUIRE(point);
  REQUIRE(point->next > log_index{0});
  point->state_hash ^= 1;
  store_batch bent;
  bent.put(std::string{store_keys::applied}, encode(*point));
  REQUIRE(!state.write(bent, point->next));
}

TEST_CASE("a node whose state differs from a majority's says so, serves nobody, and votes on, also after a "
          "restart") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  for (int i = 0; i < 5; ++i)
    REQUIRE(status_of(cluster.client(1).post("/append_log", body), "success") == 200);
  REQUIRE(cluster.stop(1));
  bend_state(cluster.data(1) / "state");
  cluster.launch(1);
  // At rest, within about a second.
  REQUIRE(cluster.wait_log(1, "this node's state differs from that of a majority"));
  for (int boot = 0; boot < 2; ++boot) {
    auto n1 = cluster.client(1);
    CHECK(status_of(n1.get("/healthz"), "differs from that of a majority") == 503);
    CHECK(status_of(n1.get("/log"), "state_differs") == 503);
    CHECK(status_of(n1.get("/log?consistency=local"), "state_differs") == 503);
    CHECK(status_of(n1.post("/append_log", body), "state_differs") == 503);
    const auto page = n1.get("/cluster");
    REQUIRE(page);
    const auto json = nlohmann::json::parse(page->body);
    CHECK(json["log"]["quarantined"] == true);
    CHECK(cluster.log_lines(1, " E ").size() == 1);
    CHECK(cluster.healthy(2));
    CHECK(status_of(cluster.client(2).post("/append_log", body), "success") == 200);
    // With its vote.
    cluster.kill9(3);
    CHECK(status_of(cluster.client(2).post("/append_log", body), "success") == 200);
    cluster.launch(3);
    REQUIRE(cluster.wait_healthy(3));
    if (boot == 0) {
      // Replicas at rest tell one another within a second.
      REQUIRE(cluster.wait_log(2, "n1's state differs from that of a majority"));
      CHECK(cluster.log_lines(2, "n1's state differs from that of a majority").size() == 1);
      REQUIRE(cluster.stop(1));
      cluster.launch(1);
      REQUIRE(cluster.wait_log(1, "serves clients"));
      for (int i = 0; i < 100 && status_of(cluster.client(1).get("/healthz"), "differs") == 0; ++i)
        std::this_thread::sleep_for(20ms);
    }
  }
  auto known = false;
  for (int i = 0; i < 250 && !known; ++i) {
    const auto page = cluster.client(2).get("/cluster");
    REQUIRE(page);
    known = nlohmann::json::parse(page->body)["members"][0]["quarantined"] == true;
    if (!known)
      std::this_thread::sleep_for(20ms);
  }
  CHECK(known);
  REQUIRE(cluster.trouble() == "");
}

}  // namespace
