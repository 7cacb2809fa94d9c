// Everything at once: clients on all nodes while the nodes are killed, frozen and stopped.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr auto chaos_lasts = 40s;

std::uint64_t seed_of_this_run() {
  if (const auto* given = std::getenv("QUORATE_SEED"))
    return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

/// Draws from one seed what happens to whom.
class nemesis {
public:
  nemesis(process_cluster& cluster, std::uint64_t seed) : cluster_(cluster), random_(seed) {}

  void strike() {
    // Mostly one node, which the others must not even notice for long; sometimes a majority, sometimes all.
    const auto dice = number(1, 10);
    const std::size_t victims = dice <= 7 ? 1 : dice <= 9 ? 2 : 3;
    std::vector<std::size_t> nodes{1, 2, 3};
    std::shuffle(nodes.begin(), nodes.end(), random_);
    nodes.resize(victims);
    std::vector<std::uint64_t> deeds;
    for (const auto n : nodes) {
      deeds.push_back(number(1, 5));
      begin(n, deeds.back());
    }
    pause(200, 2'000);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      undo(nodes[i], deeds[i]);
      pause(0, 300);
    }
    pause(100, 1'500);
  }

  [[nodiscard]] const std::string& diary() const { return diary_; }

private:
  void begin(std::size_t n, std::uint64_t deed) {
    diary_ += (deed <= 2 ? " kill n" : deed <= 4 ? " freeze n" : " stop n") + std::to_string(n);
    if (deed <= 2)
      cluster_.kill9(n);
    else if (deed <= 4)
      cluster_.freeze(n);
    else
      static_cast<void>(cluster_.stop(n, SIGTERM, 8s));
  }

  void undo(std::size_t n, std::uint64_t deed) {
    if (deed == 3 || deed == 4)
      cluster_.thaw(n);
    else
      cluster_.launch(n);
  }

  std::uint64_t number(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>{least, most}(random_);
  }

  void pause(std::uint64_t least_ms, std::uint64_t most_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds{number(least_ms, most_ms)});
  }

  process_cluster& cluster_;
  std::mt19937_64 random_;
  std::string diary_;
};

TEST_CASE(
    "what was acknowledged while nodes were killed, frozen and restarted stands at its index everywhere") {
  const auto seed = seed_of_this_run();
  process_cluster cluster;
  REQUIRE_MESSAGE(cluster.start(), cluster.report());
  nemesis bad_luck{cluster, seed};
  append_clients patient{"p", cluster.http_ports(), {.per_node = 3, .timeout = 2s}};
  // These give up in the middle of what goes on: what they are told then must be true.
  append_clients hasty{"h", cluster.http_ports(), {.per_node = 2, .timeout = 100ms}};
  for (const auto end = std::chrono::steady_clock::now() + chaos_lasts;
       std::chrono::steady_clock::now() < end;)
    bad_luck.strike();
  auto history = patient.stop();
  history.add(hasty.stop());
  const auto wrong = heal_and_check(cluster, history);

  MESSAGE("replay: QUORATE_SEED=" << seed << "; " << history.count(append_fate::acknowledged)
                                  << " acknowledged, " << history.count(append_fate::refused) << " refused, "
                                  << history.count(append_fate::unknown) << " unknown, "
                                  << history.reads.size() << " reads; what happened:" << bad_luck.diary());
  INFO(cluster.report());
  REQUIRE(wrong == "");
  // Otherwise nothing was tested.
  for (std::size_t n = 1; n <= 3; ++n)
    REQUIRE(std::ranges::any_of(history.appends, [&](const append_record& a) {
      return a.node == n && a.fate == append_fate::acknowledged;
    }));
  REQUIRE(history.count(append_fate::acknowledged) > 1'000);
  REQUIRE(history.reads.size() > 50);
}

}  // namespace
