// A disk that a test can make slow.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace quorate::testing {

/// The disk of one process: each of its syncs takes as much longer as was said last. Whatever it is told goes
/// through `control`, a file that it makes.
class slow_disk {
public:
  explicit slow_disk(std::filesystem::path control) : control_(std::move(control)) {}

  /// What the process has to be started with, beside the test's own environment.
  [[nodiscard]] std::vector<std::string> environment() const;
  void slow_down(std::chrono::milliseconds by) const;

private:
  std::filesystem::path control_;
};

}  // namespace quorate::testing
