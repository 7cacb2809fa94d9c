// How the healthy fare while one member, or one link, is faulty.
#pragma once

#include "tests/harness/simulator.hpp"

#include <optional>
#include <string>
#include <vector>

namespace quorate::testing {

/// One square of the matrix: what fails, how often, and whether clients ask the member that it happens to.
struct square {
  std::string_view fault;  ///< see matrix_faults()
  std::string_view rhythm;  ///< "once", "steadily", "repeatedly", or "fast": repeatedly, in a short rhythm
  std::size_t members = 3;
  bool active = false;  ///< clients ask the victim as well

  [[nodiscard]] std::string text() const;
};

/// What the clients of the healthy members saw; the worst of the members. In milliseconds.
struct figures {
  double gap = 0;  ///< longest time without an answer
  double p50 = 0;
  double p99 = 0;
  std::size_t refused = 0;  ///< or never answered

  void add(const figures& other);
};

[[nodiscard]] const std::vector<std::string_view>& matrix_faults();
[[nodiscard]] std::vector<std::string_view> rhythms_of(std::string_view fault);
/// All squares of these faults.
[[nodiscard]] std::vector<square> matrix();
/// Those that are played each time: each fault once with three members, and in its last rhythm with five, with an
/// active victim; those that say most.
[[nodiscard]] std::vector<square> short_matrix();
/// When the fault begins.
inline constexpr time_point strikes_at = std::chrono::seconds{3};

/// Links that take a millisecond, syncs that take half of one; a command every two milliseconds or so at each
/// of the members that clients ask.
[[nodiscard]] scenario scenario_of(const square& s, std::uint64_t seed);
/// The members that clients ask and that the fault does not hurt.
[[nodiscard]] std::vector<node_id> healthy(const square& s);
[[nodiscard]] figures measure(const square& s, const report& r);

}  // namespace quorate::testing
