// Real processes under fire.
#pragma once

#include "tests/fire/plan.hpp"
#include "tests/fire/slow_disk.hpp"
#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/append_search.hpp"
#include "tests/harness/process/private_world.hpp"
#include "tests/harness/process/process_cluster.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <array>
#include <atomic>
#include <memory>

namespace quorate::testing {

struct fire_options {
  std::uint64_t seed = 1;
  std::size_t nodes = 3;
  std::chrono::seconds lasts{120};
  std::string protocol = "mencius";
  bool own_world = false;  ///< the process has a network and mounts of its own
};

/// A cluster, clients of all its nodes, and what a plan does to the nodes. Prints as it goes. Not for several
/// threads; the nodes die with the thread that made this.
class fire {
public:
  explicit fire(const fire_options& options);

  /// Ends after the time that was asked for, or soon after `interrupted` has become true. All that is wrong,
  /// one line each.
  [[nodiscard]] std::string run(const std::atomic<bool>& interrupted);

  [[nodiscard]] std::uint64_t times(deed d) const { return times_.at(static_cast<std::size_t>(d)); }
  [[nodiscard]] const append_history& history() const { return all_; }
  /// The ends of the nodes' logs.
  [[nodiscard]] std::string report() { return cluster_ ? cluster_->report() : std::string{}; }

private:
  using clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  [[nodiscard]] cluster_plan surroundings();
  [[nodiscard]] bool over() const { return clock::now() >= end_ || *interrupted_; }
  /// Whether the cluster has healed after it.
  [[nodiscard]] bool round();
  [[nodiscard]] std::string judge();

  void perform(const strike& s);
  [[nodiscard]] bool possible(const attack& a) const;
  void begin(const attack& a);
  void undo(const attack& a);
  void last(const strike& s);
  void isolate(std::size_t n, bool cut);
  void leave_behind(std::size_t n);
  void start_and_kill(const attack& a);
  void receive_and_kill(const attack& a);
  void refill(std::size_t n);
  void await_stop_of_full_disk(std::size_t n);
  [[nodiscard]] std::size_t snapshots_sent() const;
  void say(const std::string& line) const;
  void print_summary() const;

  fire_options options_;
  temporary_directory place_;
  std::unique_ptr<private_network> network_;
  std::unique_ptr<small_disk> small_disk_;
  std::vector<slow_disk> disks_;
  std::unique_ptr<process_cluster> cluster_;
  fire_plan plan_;
  const std::atomic<bool>* interrupted_ = nullptr;
  clock::time_point begin_ = clock::now();
  clock::time_point end_ = begin_;
  std::vector<append_round> rounds_;
  append_history away_;  ///< of those who append while a node is away, in the round that runs
  append_history all_;
  std::array<std::uint64_t, deed_kinds> times_{};
  std::uint64_t skipped_ = 0;
  std::uint64_t killed_receiving_ = 0;
  std::uint64_t stopped_full_ = 0;
  std::uint64_t bursts_ = 0;
  std::chrono::nanoseconds longest_gap_{};
  std::string wrong_;
};

}  // namespace quorate::testing
