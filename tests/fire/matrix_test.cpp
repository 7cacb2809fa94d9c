// The availability matrix (tests/simulation/matrix.hpp) with real processes. QUORATE_FIRE_MATRIX=1 asks for it: it
// measures time, and prints.
#include "tests/fire/slow_disk.hpp"
#include "tests/fire/world.hpp"
#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"
#include "tests/harness/process/process_cluster.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr auto once_lasts = 1s;
constexpr auto rhythm_lasts = 3s;
constexpr auto before_and_after = 700ms;
constexpr auto slow_sync = 50ms;

/// Nodes of one protocol, and what can be done to the last of them.
class stage {
public:
  stage(std::size_t nodes, const std::string& protocol) : victim_(nodes), network_(nodes) {
    cluster_plan plan;
    plan.nodes = nodes;
    plan.protocol = protocol;
    for (std::size_t n = 1; n <= nodes; ++n) {
      disks_.emplace_back(place_ / ("slow" + std::to_string(n)));
      plan.places.push_back({network_.host(n), {disks_.back().environment(), network_.descriptor(n)}, {}});
    }
    cluster_ = std::make_unique<process_cluster>(plan);
  }

  [[nodiscard]] process_cluster& cluster() { return *cluster_; }
  [[nodiscard]] std::size_t victim() const { return victim_; }

  void kill(bool begin) { begin ? cluster_->kill9(victim_) : cluster_->launch(victim_); }
  void freeze(bool begin) { begin ? cluster_->freeze(victim_) : cluster_->thaw(victim_); }
  void cut_off(bool begin) {
    deaf(begin);
    mute(begin);
  }
  void deaf(bool begin) {
    for (std::size_t n = 1; n < victim_; ++n)
      link(n, victim_, begin);
  }
  void mute(bool begin) {
    for (std::size_t n = 1; n < victim_; ++n)
      link(victim_, n, begin);
  }
  void not_heard_by_one(bool begin) { link(victim_, 1, begin); }
  void does_not_hear_one(bool begin) { link(1, victim_, begin); }
  void slow_disk_of_it(bool begin) {
    disks_[victim_ - 1].slow_down(begin ? std::chrono::milliseconds{slow_sync} : 0ms);
  }

private:
  void link(std::size_t from, std::size_t to, bool cut) {
    cut ? network_.cut(from, to) : network_.mend(from, to);
  }

  std::size_t victim_;
  temporary_directory place_;
  private_network network_;
  std::vector<slow_disk> disks_;
  std::unique_ptr<process_cluster> cluster_;
};

struct weapon {
  const char* name;
  void (stage::*strike)(bool begin);
  std::size_t hurt = 0;  ///< the node that it hurts; 0: the victim
};

constexpr weapon weapons[] = {
    {"none", nullptr},
    {"kill", &stage::kill},
    {"freeze", &stage::freeze},
    {"cut off", &stage::cut_off},
    {"deaf", &stage::deaf},
    {"mute", &stage::mute},
    {"not heard by one", &stage::not_heard_by_one, 1},
    {"does not hear one", &stage::does_not_hear_one},
    {"slow disk", &stage::slow_disk_of_it},
};

double milliseconds_of(std::chrono::nanoseconds t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

/// Of the clients of one node.
struct seen {
  double gap = 0;
  double p50 = 0;
  double p99 = 0;
};

seen figures_of(const append_history& all, std::size_t node) {
  std::vector<std::chrono::nanoseconds> answers;
  std::vector<double> took;
  for (const auto& a : all.appends)
    if (a.node == node && a.fate == append_fate::acknowledged) {
      answers.push_back(a.returned);
      took.push_back(milliseconds_of(a.returned - a.invoked));
    }
  if (took.empty())
    return {1e6, 1e6, 1e6};
  std::sort(answers.begin(), answers.end());
  std::sort(took.begin(), took.end());
  seen out;
  for (std::size_t i = 1; i < answers.size(); ++i)
    out.gap = std::max(out.gap, milliseconds_of(answers[i] - answers[i - 1]));
  out.p50 = took[took.size() / 2];
  out.p99 = took[took.size() * 99 / 100];
  return out;
}

void play(stage& on, const weapon& w, bool repeatedly, bool active, const std::string& name) {
  auto asked = on.cluster().endpoints();
  if (!active)
    asked.pop_back();
  append_clients clients{asked, name, {.per_node = 2, .read_every = 0, .think = 1ms}};
  std::this_thread::sleep_for(before_and_after);
  const auto strike = [&](std::chrono::milliseconds lasts) {
    if (w.strike != nullptr)
      (on.*w.strike)(true);
    std::this_thread::sleep_for(lasts);
    if (w.strike != nullptr)
      (on.*w.strike)(false);
  };
  if (!repeatedly)
    strike(once_lasts);
  else
    for (const auto until = std::chrono::steady_clock::now() + rhythm_lasts;
         std::chrono::steady_clock::now() < until;) {
      strike(400ms);
      std::this_thread::sleep_for(100ms);
    }
  std::this_thread::sleep_for(before_and_after);
  const auto all = clients.stop();
  seen worst;
  for (std::size_t n = 1; n <= asked.size(); ++n) {
    if (n == (w.hurt == 0 ? on.victim() : w.hurt))
      continue;
    const auto one = figures_of(all, n);
    worst = {std::max(worst.gap, one.gap), std::max(worst.p50, one.p50), std::max(worst.p99, one.p99)};
  }
  std::printf("  %-18s %-10s %-6s %8.1f %7.1f %8.1f\n", w.name, repeatedly ? "repeatedly" : "once",
              active ? "active" : "idle", worst.gap, worst.p50, worst.p99);
  std::fflush(stdout);
  CHECK(all.count(append_fate::acknowledged) > 0);
}

TEST_CASE("the availability matrix with real processes") {
  if (std::getenv("QUORATE_FIRE_MATRIX") == nullptr)
    return;
  const auto& shut = why_no_own_world();
  if (!shut.empty()) {
    MESSAGE("skipped: " << shut);
    return;
  }
  const auto* members = std::getenv("QUORATE_MEMBERS");
  const auto nodes = members == nullptr ? std::size_t{3} : std::size_t{std::strtoull(members, nullptr, 10)};
  const auto* protocol = std::getenv("QUORATE_PROTOCOL");
  stage on{nodes, protocol == nullptr ? "mencius" : protocol};
  REQUIRE(on.cluster().start());
  std::printf("%s, %zu nodes: what the clients of the healthy see: longest gap, p50, p99 in ms\n",
              protocol == nullptr ? "mencius" : protocol, nodes);
  int number = 0;
  for (const auto& w : weapons)
    for (const auto repeatedly : {false, true})
      for (const auto active : {false, true}) {
        play(on, w, repeatedly, active, "m" + std::to_string(number++) + "-");
        INFO(on.cluster().report());
        REQUIRE(on.cluster().wait_all_healthy());
      }
  CHECK(on.cluster().trouble() == "");
}

}  // namespace
