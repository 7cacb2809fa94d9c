#include "tests/bench/parts/disturbance.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>

namespace quorate::bench {

namespace {

using std::chrono::milliseconds;

constexpr std::array names{std::pair{disturbance::kill, "kill"}, std::pair{disturbance::freeze, "freeze"},
                           std::pair{disturbance::cut, "cut"}, std::pair{disturbance::slow_cpu, "slow_cpu"},
                           std::pair{disturbance::slow_disk, "slow_disk"}};

constexpr milliseconds slice{5};  // of a node that runs one tenth of the time
constexpr int slow_sync_ms = 3;

void write_control(const std::string& control, int ms) {
  // Renamed into place: the process must not read half of it.
  std::ofstream{control + ".next"} << ms;
  std::filesystem::rename(control + ".next", control);
}

}  // namespace

std::string_view to_string(disturbance d) {
  for (const auto& [which, name] : names)
    if (which == d)
      return name;
  return "?";
}

std::optional<disturbance> disturbance_named(std::string_view name) {
  for (const auto& [which, known] : names)
    if (name == known)
      return which;
  return std::nullopt;
}

disturber::disturber(subject& cluster, testing::private_network* network, disturbance what,
                     std::size_t victim, std::string slow_control)
    : cluster_(cluster), network_(network), what_(what), victim_(victim),
      slow_control_(std::move(slow_control)) {
  switch (what_) {
  case disturbance::kill:
    cluster_.kill9(victim_);
    break;
  case disturbance::freeze:
    cluster_.signal(victim_, SIGSTOP);
    break;
  case disturbance::cut:
    links(true);
    break;
  case disturbance::slow_cpu:
    stutter_ = std::thread{[this] {
      while (!over_) {
        cluster_.signal(victim_, SIGSTOP);
        std::this_thread::sleep_for(9 * slice);
        cluster_.signal(victim_, SIGCONT);
        std::this_thread::sleep_for(slice);
      }
    }};
    break;
  case disturbance::slow_disk:
    write_control(slow_control_, slow_sync_ms);
    break;
  }
}

disturber::~disturber() {
  over_ = true;
  if (stutter_.joinable())
    stutter_.join();
  if (what_ == disturbance::freeze)
    cluster_.signal(victim_, SIGCONT);
  if (what_ == disturbance::cut)
    links(false);
  if (what_ == disturbance::slow_disk)
    write_control(slow_control_, 0);
}

void disturber::links(bool cut) {
  for (std::size_t other = 1; network_ != nullptr && other <= cluster_.size(); ++other) {
    if (other == victim_)
      continue;
    for (const auto& [from, to] : {std::pair{other, victim_}, std::pair{victim_, other}})
      cut ? network_->cut(from, to) : network_->mend(from, to);
  }
}

void make_slowable(testing::node_place& place, const std::string& control) {
  write_control(control, 0);
  const auto* asan = std::getenv("ASAN_OPTIONS");
  place.surroundings.environment = {
      "LD_PRELOAD=" QUORATE_SLOW_SYNC_LIBRARY, "QUORATE_SLOW_SYNC=" + control,
      // AddressSanitizer wants to be loaded first, and is not told that this is no accident.
      "ASAN_OPTIONS=" + std::string{asan == nullptr ? "" : asan} + ":verify_asan_link_order=0"};
}

}  // namespace quorate::bench
