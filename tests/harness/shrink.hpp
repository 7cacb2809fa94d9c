// From a scenario that fails to a small one that fails in the same way.
#pragma once

#include "tests/harness/simulator.hpp"

namespace quorate::testing {

/// What is left.
struct shrunk {
  scenario smallest;
  std::string failure;     ///< of the smallest
  std::uint64_t runs = 0;  ///< that it took
};

/// The check that a failure came from: what stands before the colon.
[[nodiscard]] std::string check_of(const std::string& failure);

/// Leaves out faults, members, operations, options and disturbances of the network, and shortens what is
/// left, as long as the same check still fails; a change of the plan changes all later chances, so that each
/// candidate is tried with a few seeds. The same input gives the same result. Source of the order in which
/// faults are left out: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002).
/// `how` is asked for every number of members that is tried. \pre `s` fails
[[nodiscard]] shrunk shrink(const scenario& s, const protocol& ordering,
                            const std::function<options(std::size_t members)>& how,
                            std::uint64_t runs_max = 2'000);

}  // namespace quorate::testing
