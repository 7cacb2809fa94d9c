#include "runtime/disk_gauge.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr std::uint64_t usual_reserve = 1ULL << 30;

/// Free bytes below which a disk is at this level.
std::uint64_t bound_of(disk_level level, std::uint64_t reserve) {
  switch (level) {
  case disk_level::roomy:
    return 0;
  case disk_level::low:
    return 2 * reserve;
  case disk_level::full:
    return reserve;
  case disk_level::spent:
    return reserve / 4;
  }
  return 0;
}

}  // namespace

std::uint64_t disk_reserve_for(std::uint64_t total, std::uint64_t wanted) {
  if (wanted != 0)
    return wanted;
  return std::min(std::max(usual_reserve, total / 50), total / 8);
}

disk_level disk_gauge::measure(std::uint64_t free, std::uint64_t reserve) {
  auto now = disk_level::roomy;
  for (const auto level : {disk_level::low, disk_level::full, disk_level::spent}) {
    const auto bound = bound_of(level, reserve);
    if (free < bound || (level <= level_ && free < bound + bound / 4))
      now = level;
  }
  level_ = now;
  return now;
}

}  // namespace quorate
