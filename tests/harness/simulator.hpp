// Runs a whole cluster from one seed.
#pragma once

#include "protocols/contract.hpp"
#include "tests/harness/assembly.hpp"
#include "tests/harness/diagram.hpp"
#include "tests/harness/scenario.hpp"
#include "tests/harness/surroundings.hpp"
#include "tests/harness/workload.hpp"

namespace quorate::testing {

/// How to run a scenario.
struct options {
  std::FILE* trace = nullptr;                  ///< where every step is written
  diagram* draw = nullptr;                     ///< records what a picture needs
  std::set<std::string, std::less<>> without;  ///< checks that are switched off, by name
  std::vector<check_factory> checks;           ///< beside those that every run has
  mutations mutants;
  std::function<std::unique_ptr<workload>()> work;  ///< empty: by the scenario's machine
  assembler make;                                   ///< empty: a whole node
  std::uint64_t steps_max = 2'000'000;              ///< more is a failure: something runs in circles
};

/// What came of a run.
struct report {
  bool ok = false;
  std::string failure;     ///< the check that failed, and why
  std::string replay;      ///< the command that runs it again
  std::uint64_t hash = 0;  ///< of the transcript: equal for equal seeds
  std::uint64_t events = 0;
  duration simulated{};
  counters count;
  std::map<std::string, std::uint64_t> rare;  ///< how often each rare path was taken
  history operations;
};

/// Runs `s` to its end or to the first failure. The same scenario, protocol and options give the same report.
/// A broken invariant (ENSURE) of a role is a failure like any other.
[[nodiscard]] report run(const scenario& s, const protocol& ordering, const options& how = {});

/// The command that runs a seed again.
[[nodiscard]] std::string replay_line(std::string_view protocol, std::uint64_t seed, std::size_t members);

/// The commands that this message hands to another member, which both may order then; nothing where it is no
/// such message of any protocol.
[[nodiscard]] std::vector<command_id> commands_handed_on(const box& message);

/// The checks of a protocol's own roles, by its name; none for those that have none.
[[nodiscard]] std::vector<check_factory> checks_of(std::string_view protocol, std::size_t members);

}  // namespace quorate::testing
