// Watches how much room there is on a node's disks.
#pragma once

#include "actors/outbox.hpp"
#include "runtime/disk_gauge.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace quorate {

struct disk_watch_setup {
  std::vector<std::filesystem::path> directories;  ///< the fullest counts
  std::uint64_t reserve = 0;                       ///< of the spec; 0: disk_reserve_for's
  std::chrono::milliseconds every{100};
  /// The level, after each look that has found another one, and once a second. On the watch's own thread.
  std::function<void(disk_level)> tell;
  std::function<void(severity, const std::string& line)> log;
};

/// Looks at the file systems on a thread of its own, since a look may block as long as a disk hangs. Warns once, before
/// there is too little room; what is refused then is said by membership.
class disk_watch {
public:
  explicit disk_watch(disk_watch_setup setup);
  ~disk_watch();
  disk_watch(const disk_watch&) = delete;
  disk_watch& operator=(const disk_watch&) = delete;

  /// From any thread.
  [[nodiscard]] disk_figures figures() const;

private:
  void look();
  void run();

  disk_watch_setup setup_;
  std::vector<disk_gauge> gauges_;
  disk_level level_ = disk_level::roomy;
  std::chrono::milliseconds untold_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  disk_figures figures_;  // guarded by mutex_
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace quorate
