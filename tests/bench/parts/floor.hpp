// What the machine can do at best: the floor under every replicated log.
#pragma once

#include "tests/bench/parts/figures.hpp"

#include <filesystem>

namespace quorate::bench {

struct floor_plan {
  std::vector<std::size_t> outstanding{1, 64, 256, 4'096};
  std::chrono::milliseconds length{5'000};  ///< of each measurement
  std::size_t bytes = 100;                  ///< of one operation
  bool preallocated = true;                 ///< files that are written in place; else they grow
  std::filesystem::path directory;          ///< where the three files are made, and removed
};

/// Echoes operations through a quorum, with nothing around it: one client; one process that takes all
/// operations that have come, passes them on to two others as one batch and appends it to its own file
/// meanwhile; each of the three syncs its file once per batch; the client hears of a batch when two files
/// have it. \returns one result per number of outstanding operations, in order; empty where a file or a
/// socket could not be had. \pre called from a process that lets its children be waited for.
[[nodiscard]] std::vector<speed> measure_floor(const floor_plan& plan);

}  // namespace quorate::bench
