// Runs many seeds, on all cores.
#pragma once

#include "actors/sanitized.hpp"
#include "tests/harness/simulator.hpp"

namespace quorate::testing {

/// What to explore.
struct exploration {
  std::uint64_t first = 1;  ///< the first seed
  std::uint64_t seeds = 1000;
  std::size_t members = 3;  ///< 0: as many as each seed stands for
  std::size_t workers = 0;  ///< processes; 0: one per core
  bool stop_at_failure = true;
  std::function<void(scenario&)> shape;  ///< changes each seed's scenario before it is run
  std::string replay = "./tests/run.sh";  ///< the command that runs one seed again, before its options
};

/// A seed that failed.
struct found_failure {
  std::uint64_t seed = 0;
  std::string failure;
  std::string replay;
};

/// What came of it.
struct findings {
  std::uint64_t seeds = 0;  ///< that were run
  std::uint64_t events = 0;
  duration simulated{};
  std::chrono::duration<double> took{};  ///< wall time
  counters count;
  std::map<std::string, std::uint64_t> rare;  ///< how often each rare path was taken
  std::vector<found_failure> failures;        ///< in the order of their seeds
};

/// One line: seeds a minute, events a second, counters.
[[nodiscard]] std::string text(const findings& f);

/// Runs seeds in processes of their own, so that even one that crashes is reported with its seed.
[[nodiscard]] findings explore(const exploration& what, const protocol& ordering, const options& how = {});
/// The same where the options depend on the number of members.
[[nodiscard]] findings explore(const exploration& what, const protocol& ordering,
                               const std::function<options(std::size_t members)>& how);

/// The same with any way to run a seed.
[[nodiscard]] findings explore(const exploration& what,
                               const std::function<report(std::uint64_t seed, std::size_t members)>& one);

/// From the environment: QUORATE_SEED (replay this one), QUORATE_SEEDS (how many), QUORATE_FIRST (from which
/// on), QUORATE_MEMBERS, QUORATE_SCRIPT (replay this file), QUORATE_SHRINK (make what fails small),
/// QUORATE_PROTOCOL (this one only), QUORATE_TRACE (draw the run; "steps": every effect of every role),
/// QUORATE_SVG (draw it into this file).
struct wishes {
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = sanitized ? 200 : 2000;
  bool counted = false;  ///< the number of seeds was asked for
  std::uint64_t first = 1;
  std::optional<std::size_t> members;
  std::string script;
  bool shrink = false;
  bool trace = false;
  bool steps = false;
  std::string svg;
  bool all = false;
  std::string protocol;

  /// The scenario that is asked for. \pre seed
  [[nodiscard]] scenario scenario_of(std::string_view protocol) const {
    return scenario::from_seed(*seed, members.value_or(scenario::members_of(*seed)), protocol);
  }
  /// How many seeds of this protocol: the default one is explored ten times as long as the others, unless a number
  /// is asked for.
  [[nodiscard]] std::uint64_t seeds_of(const quorate::protocol& p) const;
  /// Those that are asked for: all that are registered, unless one is named.
  [[nodiscard]] std::vector<quorate::protocol> protocols() const;
  /// One run is to be looked at, and nothing else done.
  [[nodiscard]] bool one_run() const { return seed || !script.empty(); }
};
[[nodiscard]] wishes wishes_of_environment();

}  // namespace quorate::testing
