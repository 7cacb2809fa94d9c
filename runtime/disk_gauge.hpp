// How much of a disk is to stay free, and how near that is.
#pragma once

#include "runtime/admission.hpp"

namespace quorate {

/// What is free, and what is to stay free.
struct disk_figures {
  std::uint64_t free = 0;
  std::uint64_t total = 0;
  std::uint64_t reserve = 0;
};

/// The bytes of a file system of this size that writes leave free. `wanted`: of the spec; 0: 1 GiB, or 2 % where that is
/// more, but of a small file system not more than an eighth.
[[nodiscard]] std::uint64_t disk_reserve_for(std::uint64_t total, std::uint64_t wanted);

/// Turns free bytes into a level. A level that was reached is left only when a quarter more than its bound is free, so
/// that a disk at a bound does not flip.
class disk_gauge {
public:
  disk_level measure(std::uint64_t free, std::uint64_t reserve);

private:
  disk_level level_ = disk_level::roomy;
};

}  // namespace quorate
