#include "runtime/client.hpp"

#include "tests/harness/process/process_cluster.hpp"

#include "actors/bytes.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <set>

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

namespace {

client_options options_for(const process_cluster& cluster, const std::string& name = "processes") {
  client_options out{.cluster = name, .nodes = {}, .limits = {}};
  for (std::size_t n = 1; n <= cluster.size(); ++n)
    out.nodes.push_back({"127.0.0.1", cluster.peer_port(n)});
  return out;
}

/// Takes answers from any thread.
struct answers {
  void take(const client::answer& a) {
    const std::lock_guard lock{mutex};
    ++count;
    ++codes[a.code];
    if (a.code == errc::ok) {
      byte_reader in{a.body.view()};
      places.insert(in.little<std::uint64_t>());
    }
    changed.notify_all();
  }
  [[nodiscard]] bool wait(std::size_t wanted) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 30s, [&] { return count >= wanted; });
  }
  client::callback callback() {
    return [this](const client::answer& a) { take(a); };
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t count = 0;
  std::map<errc, std::size_t> codes;
  std::set<std::uint64_t> places;  ///< in the log
};

}  // namespace

TEST_CASE("a client of another process has every command executed once while each node is killed in turn") {
  process_cluster cluster;
  REQUIRE_MESSAGE(cluster.start(), cluster.report());
  answers seen;
  client c{options_for(cluster)};
  constexpr std::size_t per_round = 3'000;
  for (std::size_t n = 1; n <= 3; ++n) {
    for (std::size_t i = 0; i < per_round; ++i) {
      c.submit("k" + std::to_string(i % 7), payload{"\"v\""}, seen.callback());
      if (i == per_round / 2)
        cluster.kill9(n);
    }
    REQUIRE_MESSAGE(seen.wait(n * per_round), cluster.report());
    cluster.launch(n);
    REQUIRE_MESSAGE(cluster.wait_healthy(n), cluster.report());
  }
  CHECK(seen.codes[errc::ok] == 3 * per_round);
  // Two commands at one place, or a place that nobody was told, would be one executed twice.
  CHECK(seen.places.size() == 3 * per_round);
  CHECK(*seen.places.rbegin() == 3 * per_round - 1);
  CHECK_MESSAGE(cluster.trouble().empty(), cluster.report());
}

TEST_CASE("a client of another cluster is refused and says that nothing was executed") {
  process_cluster cluster;
  REQUIRE_MESSAGE(cluster.start(), cluster.report());
  answers seen;
  auto options = options_for(cluster, "another");
  options.limits.deadline = 500ms;
  {
    client c{options};
    c.submit("k", payload{"\"v\""}, seen.callback());
    REQUIRE(seen.wait(1));
    CHECK(seen.codes[errc::no_quorum] == 1);
    c.close();
    c.submit("k", payload{"\"v\""}, seen.callback());
    CHECK(seen.codes[errc::shutting_down] == 1);
  }
  const auto log = cluster.client(1).get("/log");
  REQUIRE(log);
  CHECK_MESSAGE(log->body.find("\"v\"") == log->body.npos, log->body);
}

TEST_CASE("without a majority a client says what it does not know, by the deadline") {
  process_cluster cluster;
  REQUIRE_MESSAGE(cluster.start(), cluster.report());
  answers seen;
  auto options = options_for(cluster);
  options.limits.deadline = 1s;
  client c{options};
  c.submit("k", payload{"\"v\""}, seen.callback());
  REQUIRE(seen.wait(1));
  REQUIRE(seen.codes[errc::ok] == 1);
  cluster.kill9(2);
  cluster.kill9(3);
  c.submit("k", payload{"\"w\""}, seen.callback());
  REQUIRE(seen.wait(2));
  CHECK(seen.codes[errc::unknown_outcome] == 1);
  CHECK_MESSAGE(cluster.trouble().empty(), cluster.report());
}
