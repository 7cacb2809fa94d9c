#include "tests/fire/slow_disk.hpp"

#include <cstdlib>
#include <fstream>

namespace quorate::testing {

std::vector<std::string> slow_disk::environment() const {
  const auto* asan = std::getenv("ASAN_OPTIONS");
  return {"LD_PRELOAD=" QUORATE_SLOW_SYNC_LIBRARY, "QUORATE_SLOW_SYNC=" + control_.string(),
          // AddressSanitizer wants to be loaded first, and is not told that this is no accident.
          "ASAN_OPTIONS=" + std::string{asan == nullptr ? "" : asan} + ":verify_asan_link_order=0"};
}

void slow_disk::slow_down(std::chrono::milliseconds by) const {
  // Renamed into place: the process must not read half of it.
  const auto next = control_.string() + ".next";
  std::ofstream{next} << by.count();
  std::filesystem::rename(next, control_);
}

}  // namespace quorate::testing
