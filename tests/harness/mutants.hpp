// Planted bugs, and how soon the checks see them: a check that cannot fail is a defect.
#pragma once

#include "tests/harness/bent_role.hpp"
#include "tests/harness/explore.hpp"

#include <span>

namespace quorate::testing {

/// A planted bug. Beside its name and the check that must see it, it says at least one of `bends`, `plant`
/// and `replace`.
struct mutant {
  std::string_view name;
  /// The check that must see it: what stands before a failure's colon. Empty: whichever does.
  std::string_view expected{};
  port role = port::node;                ///< which role of every node `bends` is for
  bend (*bends)() = nullptr;             ///< what goes wrong in it
  void (*plant)(options&) = nullptr;     ///< switches of the simulator, and checks that are to look away
  void (*replace)(protocol&) = nullptr;  ///< other roles than the protocol's own
  void (*shape)(scenario&) = nullptr;    ///< makes of a seed's scenario one in which the bug has a chance
  std::size_t members = 3;
};

/// What came of a mutant.
struct capture {
  std::string_view name;
  std::string_view expected{};
  bool caught = false;
  std::uint64_t seeds = 0;  ///< that were run, the one that failed included
  std::string failure;      ///< of the last
  std::chrono::duration<double> took{};

  /// Whether the check that was expected saw it.
  [[nodiscard]] bool as_expected() const;
};

/// One line of a table: mutant, seeds, time, failure.
[[nodiscard]] std::string text(const capture& c);

/// Lets each mutant live from the first seed on until a check sees it, with the checks that the protocol has
/// of its own; several mutants at a time, one per core. The same table gives the same captures but for the
/// time.
[[nodiscard]] std::vector<capture> hunt(std::span<const mutant> table, const protocol& ordering,
                                        std::uint64_t seeds_max = 20'000);

/// How many of the first `seeds` fail where nothing is planted, in the scenarios of this mutant.
[[nodiscard]] std::vector<found_failure> false_alarms(const mutant& m, const protocol& ordering,
                                                      std::uint64_t seeds);

}  // namespace quorate::testing
