// The trace of a recorded disk, read again.
#pragma once

#include "tests/preload/disk_trace.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

/// One operation. The views are into the trace's bytes, or wherever a test has made them.
struct disk_event {
  disk_event_kind kind{};
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  int descriptor = -1;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t sync = 0;
  std::string_view name;  ///< below the root, "/journal/NEWEST"; the root itself is empty
  std::string_view other;
  std::string_view data;  ///< empty: `size` zeros
};

/// What one process has done, in order.
class disk_trace {
public:
  /// Reads the file; `trouble` says what is wrong with it.
  explicit disk_trace(const std::filesystem::path& file);
  disk_trace(const disk_trace&) = delete;
  disk_trace& operator=(const disk_trace&) = delete;

  [[nodiscard]] const std::vector<disk_event>& events() const { return events_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

private:
  std::string bytes_;
  std::vector<disk_event> events_;
  std::string trouble_;
};

}  // namespace quorate::testing
