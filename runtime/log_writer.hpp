// Writes the lines of a log where somebody may not take them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace quorate {

/// Takes lines from any thread and writes them to one descriptor on a thread of its own, so that a terminal that is
/// stopped, a pipe that nobody reads or a full disk under the log never holds up a node.
///
/// Lines that find `bytes_waiting_max` waiting, and those that cannot be written, are dropped; where they would
/// stand comes `missing(how many)` instead, as soon as something can be written again.
class log_writer {
public:
  static constexpr std::size_t bytes_waiting_max = 1 << 20;

  /// Takes the descriptor, and closes it when it goes. `missing` makes a line; it is called from the writer's
  /// thread.
  log_writer(int descriptor, std::function<std::string(std::size_t)> missing);
  /// Lets what waits be written for a moment. Does not wait for a write that blocks.
  ~log_writer();
  log_writer(const log_writer&) = delete;
  log_writer& operator=(const log_writer&) = delete;

  /// Whole lines, each with its end. Never blocks for longer than other callers of it.
  void write(std::string_view lines);
  /// Whether all that waited is written or dropped now.
  bool flush(std::chrono::milliseconds within);

  /// Whether any log of this process has lines that are not written. For signal handlers too.
  [[nodiscard]] static bool is_behind() noexcept;

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

}  // namespace quorate
