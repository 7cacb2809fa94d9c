// What is done to whom, drawn from one seed.
#pragma once

#include "actors/prng.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

enum class deed : std::uint8_t {
  kill,            ///< SIGKILL, and a start later
  kill_starting,   ///< SIGKILL, and again soon after each of a few starts
  kill_receiving,  ///< away until the others' logs are cut, then SIGKILL while a snapshot comes in
  stop,            ///< SIGTERM, and a start later
  freeze,          ///< SIGSTOP, and SIGCONT later
  stutter,         ///< SIGSTOP for some milliseconds, again and again
  slow_disk,       ///< each sync takes longer
  full_disk,       ///< not a byte left, and some later
  cut_off,         ///< no node hears it, and it hears none
  cut_one_way,     ///< one other node does not hear it
};
inline constexpr std::size_t deed_kinds = 10;

[[nodiscard]] std::string_view to_string(deed d);

struct attack {
  deed what = deed::kill;
  std::size_t node = 1;
  std::size_t other = 2;               ///< of cut_one_way
  std::chrono::milliseconds amount{};  ///< of kill_starting, kill_receiving, stutter, slow_disk
};

[[nodiscard]] std::string text(const attack& a);

/// Attacks that begin together and end one after the other.
struct strike {
  std::vector<attack> attacks;  ///< of different nodes
  std::chrono::milliseconds lasts{};
  std::chrono::milliseconds then_rest{};
};

/// An endless sequence of strikes that depends on seed and number of nodes alone.
class fire_plan {
public:
  /// Only the last node has a disk that can be full.
  fire_plan(std::uint64_t seed, std::size_t nodes) : random_(seed), nodes_(nodes) {}

  [[nodiscard]] strike next();

private:
  [[nodiscard]] attack draw(std::size_t node);
  [[nodiscard]] std::chrono::milliseconds between(std::uint64_t least_ms, std::uint64_t most_ms) {
    return std::chrono::milliseconds{random_.between(least_ms, most_ms)};
  }

  prng random_;
  std::size_t nodes_;
};

}  // namespace quorate::testing
