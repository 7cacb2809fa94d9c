// A spec that was edited after the cluster was founded: what was founded holds, by name, and the owner is
// told once.

#include "actors/messages.pb.h"
#include "runtime/segment_journal.hpp"
#include "tests/harness/process/process_cluster.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace {

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

/// The spec that the next starts read: these nodes in this order, on the ports that they have had; 9 has one
/// of its own.
void write_spec(const process_cluster& cluster, const std::vector<std::size_t>& order,
                const std::string& keys) {
  std::ofstream out{cluster.spec()};
  out << "cluster {\n  name = \"processes\"\n" << keys << "\n  nodes = [\n";
  for (const auto n : order) {
    const auto stranger = n > cluster.size();
    const auto peer = stranger ? std::to_string(11'000 + n) : std::to_string(cluster.peer_port(n));
    const auto http = stranger ? std::to_string(11'100 + n) : std::to_string(cluster.http_port(n));
    out << "    { name = \"n" << n << "\", host = \"127.0.0.1\", port = " << peer
        << ", http = \"127.0.0.1:" << http << "\" },\n";
  }
  out << "  ]\n}\n";
}

void append(const process_cluster& cluster, std::size_t n, const std::string& value) {
  const auto reply = cluster.client(n).post("/append_log", R"({"key":"k","value":")" + value + R"("})");
  REQUIRE(reply);
  CHECK(reply->status == 200);
}

std::string log_of(const process_cluster& cluster, std::size_t n) {
  const auto reply = cluster.client(n).get("/log");
  REQUIRE(reply);
  std::string values;
  const auto page = nlohmann::json::parse(reply->body);
  for (const auto& entry : page["entries"])
    values += entry["value"].get<std::string>() + " ";
  return values;
}

nlohmann::json page_of(const process_cluster& cluster, std::size_t n) {
  const auto reply = cluster.client(n).get("/cluster");
  REQUIRE(reply);
  return nlohmann::json::parse(reply->body);
}

void stop_all(process_cluster& cluster) {
  for (std::size_t n = 1; n <= cluster.size(); ++n)
    if (cluster.running(n))
      REQUIRE(cluster.stop(n));
}

constexpr const char* differs = "the spec differs from what was founded, which holds";

TEST_CASE("blank directories found a cluster from specs that list the nodes in different orders") {
  process_cluster cluster;
  INFO(cluster.report());
  const std::vector<std::vector<std::size_t>> orders{{1, 2, 3}, {3, 1, 2}, {2, 3, 1}};
  for (std::size_t n = 1; n <= 3; ++n) {
    write_spec(cluster, orders[n - 1], "");
    cluster.launch(n);
    REQUIRE(cluster.wait_log(n, "serves clients"));
  }
  REQUIRE(cluster.wait_all_healthy());
  for (std::size_t n = 1; n <= 3; ++n)
    append(cluster, n, std::to_string(n));
  for (std::size_t n = 1; n <= 3; ++n)
    CHECK(log_of(cluster, n) == "1 2 3 ");
}

TEST_CASE("after founding the order of the nodes means nothing, and nodes more or less stop nobody") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append(cluster, 1, "a");
  // Turned on one machine only.
  REQUIRE(cluster.stop(1));
  write_spec(cluster, {2, 3, 1}, "");
  REQUIRE(cluster.start());
  append(cluster, 1, "b");
  CHECK(cluster.log_lines(1, differs).empty());
  // Turned on all, and a node more.
  stop_all(cluster);
  write_spec(cluster, {9, 3, 2, 1}, "");
  REQUIRE(cluster.start());
  append(cluster, 2, "c");
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(log_of(cluster, n) == "a b c ");
    CHECK(cluster.log_lines(n, differs).size() == 1);
    CHECK(cluster.log_lines(n, "names n9, not founded").size() == 1);
    CHECK(page_of(cluster, n)["members"].size() == 3);
  }
  // Without one, which is dead.
  stop_all(cluster);
  write_spec(cluster, {2, 1}, "");
  cluster.launch(1);
  cluster.launch(2);
  REQUIRE(cluster.wait_healthy(1));
  REQUIRE(cluster.wait_healthy(2));
  append(cluster, 1, "d");
  CHECK(cluster.log_lines(1, "does not name n3").size() == 1);
  CHECK(log_of(cluster, 2) == "a b c d ");
  // Whoever dials needs the address of the other, and no more: n1 and n2 dial n3.
  REQUIRE(cluster.stop(1));
  write_spec(cluster, {1, 2, 3}, "");
  REQUIRE(cluster.start());
  CHECK(log_of(cluster, 3) == "a b c d ");
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("founded protocol and machine run, whatever the spec says later, and the page shows them") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  append(cluster, 1, "a");
  stop_all(cluster);
  write_spec(cluster, {1, 2, 3},
             "  protocol = \"paxos\"\n  machine = \"key_value\"\n  balancer = \"random\"\n"
             "  paxos { window = 3 }\n");
  REQUIRE(cluster.start());
  append(cluster, 2, "b");
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(log_of(cluster, n) == "a b ");
    const auto lines = cluster.log_lines(n, differs);
    REQUIRE(lines.size() == 1);
    for (const auto* part : {"cluster.protocol is \"mencius\" (the spec says \"paxos\")",
                             "cluster.machine is \"append_log\" (the spec says \"key_value\")"})
      CHECK_MESSAGE(lines.front().find(part) != std::string::npos, "not named: " << part);
    const auto page = page_of(cluster, n);
    CHECK(page["protocol"] == "mencius");
    CHECK(page["machine"] == "append_log");
    CHECK(page["balancer"] == "random");
  }
  // What the spec does not name differs from nothing.
  stop_all(cluster);
  write_spec(cluster, {1, 2, 3}, "");
  REQUIRE(cluster.start());
  CHECK(cluster.log_lines(1, differs).empty());
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("a node that was added to the spec later says that the cluster was founded without it") {
  process_cluster cluster{{.nodes = 4, .more_spec = {}}};
  INFO(cluster.report());
  write_spec(cluster, {2, 3, 4}, "");
  for (const std::size_t n : {2, 3, 4})
    cluster.launch(n);
  for (const std::size_t n : {2, 3, 4})
    REQUIRE(cluster.wait_healthy(n));
  // Its name comes before all others'.
  write_spec(cluster, {1, 2, 3, 4}, "");
  REQUIRE(cluster.stop(2));
  cluster.launch(2);
  cluster.launch(1);
  REQUIRE(cluster.wait_healthy(2));
  REQUIRE(cluster.wait_log(1, "the cluster was founded without n1 (its members: n2, n3, n4)"));
  const auto health = cluster.client(1).get("/healthz");
  REQUIRE(health);
  CHECK(health->status == 503);
  CHECK(health->body.find("founded without n1") != std::string::npos);
  append(cluster, 2, "a");
}

TEST_CASE("what was founded and this program does not know is refused by its name, exit code 2") {
  process_cluster cluster{{.nodes = 1, .more_spec = {}}};
  INFO(cluster.report());
  REQUIRE(cluster.start());
  stop_all(cluster);
  wire::Founding list;
  {
    auto opened = segment_journal::open(cluster.data(1) / "journal", database::must_exist);
    REQUIRE(std::holds_alternative<std::unique_ptr<segment_journal>>(opened));
    auto& journal = *std::get<std::unique_ptr<segment_journal>>(opened);
    const journal_space space{group_id{0}, epoch_id{0}, port::founding};
    const auto row = journal.view(space)->get("f");
    REQUIRE(row);
    wire::Hello state;
    REQUIRE(state.ParseFromString(*row));
    std::string what;
    SUBCASE("a machine") {
      state.mutable_founding()->set_machine("abacus");
    }
    SUBCASE("a protocol") {
      state.mutable_founding()->set_protocol("abacus");
    }
    SUBCASE("an option") {
      auto* option = state.mutable_founding()->add_options();
      option->set_name("abacus");
      option->set_value("1");
    }
    REQUIRE(!journal.commit({{space.prefix() + "f", state.SerializeAsString(), std::nullopt, false}}, true));
  }
  const auto run = run_program(cluster.command_line(1), cluster.directory());
  INFO("stderr: " << run.errors);
  REQUIRE(run.end);
  CHECK(text(*run.end) == "exit code 2");
  const auto line = run.errors.rfind("node_runtime: ");
  REQUIRE(line != std::string::npos);
  CHECK(run.errors.find("abacus", line) != std::string::npos);
  CHECK(run.errors.find("was founded with", line) != std::string::npos);
  CHECK(std::ranges::count(run.errors.substr(line), '\n') == 1);
}

}  // namespace
