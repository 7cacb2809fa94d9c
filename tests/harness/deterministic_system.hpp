// CAF under a seed: every schedule of actors and timers is chosen by it.
#pragma once

#include "actors/ids.hpp"
#include "actors/prng.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <memory>

namespace quorate::testing {

/// An actor system on CAF's deterministic coordinator. Which of the runnable actors goes next, and how much time
/// passes meanwhile, comes from the seed. One thread; no blocking or detached actors.
class deterministic_system {
public:
  explicit deterministic_system(std::uint64_t seed);

  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] quorate::prng& random() { return random_; }

  /// Runs until this much simulated time has passed.
  void run_for(duration how_long);
  /// Runs until `done` or until this much simulated time has passed; false in the latter case.
  [[nodiscard]] bool run_until(const std::function<bool()>& done, duration at_most);
  /// Runs what is runnable, without letting time pass: for the end, after everybody was told to exit.
  void drain();

  /// Simulated time since the beginning.
  [[nodiscard]] duration passed() const;
  /// Messages handed to actors so far.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// Changes with every choice that was made: equal for equal runs.
  [[nodiscard]] std::uint64_t transcript() const { return transcript_; }
  void note(std::uint64_t what);

private:
  [[nodiscard]] bool step();

  struct config : caf::actor_system_config {
    config() { set("caf.scheduler.policy", "testing"); }
  };

  config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_;
  caf::actor_clock::time_point begin_;
  quorate::prng random_;
  std::uint64_t steps_ = 0;
  std::uint64_t transcript_ = 0;
};

/// A way between two actors that loses, repeats, delays and so reorders what it carries.
struct link_faults {
  double loss = 0;      ///< percent
  double duplicates = 0; ///< percent
  duration delay_max{};
};

/// An actor that passes on everything it gets to `target`, as `faults` say at that moment. It ends with the system's
/// other actors: send it an exit.
[[nodiscard]] caf::strong_actor_ptr spawn_faulty_link(deterministic_system& around, caf::strong_actor_ptr target,
                                                      std::shared_ptr<const link_faults> faults);

}  // namespace quorate::testing
