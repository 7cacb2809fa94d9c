// Full load for minutes while one node is frozen: is memory bounded, and does the node catch up?
#pragma once

#include "tests/bench/parts/subject.hpp"

namespace quorate::bench {

struct endurance_plan {
  std::chrono::milliseconds warm_up{20'000};  ///< before the freeze: caches fill
  std::chrono::milliseconds frozen{600'000};
  std::size_t clients_per_node = 64;
  std::size_t bytes = 100;
  std::size_t victim = 1;
};

struct endurance {
  double rss_before_mib = 0;   ///< of the other node that grew most, when the freeze begins
  double rss_highest_mib = 0;  ///< of the same, while frozen
  double per_second = 0;       ///< while frozen
  bool caught_up = false;
  std::chrono::milliseconds catch_up{};  ///< after the thaw, to where the others stood then, under load
};

/// \pre the cluster runs and says how far it has executed.
[[nodiscard]] endurance endure(subject& cluster, const endurance_plan& plan);

}  // namespace quorate::bench
