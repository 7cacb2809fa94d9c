// Crowds of clients that say nothing, or say it slowly, or all at once, in front of a real node.

#include "tests/harness/process/healing.hpp"
#include "tests/harness/process/plain_socket.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr std::size_t growth_max = 64ULL << 20;

/// This process needs as many files as the node.
bool allow_files(rlim_t count) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max < count)
    return false;
  files.rlim_cur = std::max(files.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0;
}

TEST_CASE("2,000 idle clients and 200 slow ones keep nobody from being served, in bounded memory") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  REQUIRE(allow_files(3'000));
  auto client = cluster.client(1);
  std::uint64_t index = 0;
  const auto append = [&] {
    const auto reply = client.post("/append_log", append_text("k", "x"));
    REQUIRE(reply);
    INFO(reply->body);
    REQUIRE(reply->status == 200);
    REQUIRE(parse_append_answer(reply->body) == index++);
  };
  append();
  const auto resident = cluster.memory_of(1).resident;
  std::vector<plain_socket> idle;
  for (int i = 0; i < 2'000; ++i) {
    idle.emplace_back(cluster.http_port(1));
    REQUIRE(idle.back().connected());
  }
  append();
  // A header that never ends, and a body that never comes.
  std::vector<plain_socket> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(cluster.http_port(1));
    REQUIRE(slow.back().send(i % 2 == 0 ? "POST /append_log HTTP/1.1\r\nA: "
                                        : "POST /append_log HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n{"));
  }
  for (int round = 0; round < 10; ++round) {
    for (auto& s : slow)
      s.send("b");
    append();
  }
  // Requests and garbage behind them: the requests are answered, the garbage ends the connection.
  plain_socket eager{cluster.http_port(1)};
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(eager.send(requests + std::string(64, '\0') + "\r\n\r\n"));
  const auto answers = eager.receive(10s);
  std::size_t good = 0;
  for (auto at = answers.find("HTTP/1.1 200"); at != answers.npos; at = answers.find("HTTP/1.1 200", at + 1))
    ++good;
  CHECK(good == 50);
  CHECK(answers.find("HTTP/1.1 400") != answers.npos);
  append();
  CHECK(cluster.memory_of(1).peak < resident + growth_max);
  idle.clear();
  slow.clear();
  append();
  REQUIRE(cluster.wait_all_healthy());
  REQUIRE(cluster.trouble() == "");
}

}  // namespace
