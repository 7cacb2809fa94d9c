// Which index is durable, from sequence numbers that are.
#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace quorate {

/// Pairs the database's sequence numbers with the log's indices. One thread writes; flushes end on another,
/// also before the writer has got round to telling of a write. Invariant: `durable()` is the index of the
/// newest write at or below the highest sequence number flushed.
class flush_ledger {
public:
  /// After a start: everything up to `index` is durable.
  void start_at(std::optional<log_index> index) {
    const std::lock_guard guard{mutex_};
    durable_ = index;
  }
  /// A write ended at `sequence`, which brought the store to `index`. \pre in order of `sequence`.
  void written(std::uint64_t sequence, log_index index) {
    const std::lock_guard guard{mutex_};
    pending_.emplace_back(sequence, index);
    settle();
  }
  /// Everything up to `sequence` is on disk.
  void flushed(std::uint64_t sequence) {
    const std::lock_guard guard{mutex_};
    flushed_ = std::max(flushed_, sequence);
    settle();
  }
  [[nodiscard]] std::optional<log_index> durable() const {
    const std::lock_guard guard{mutex_};
    return durable_;
  }

private:
  void settle() {
    for (; !pending_.empty() && pending_.front().first <= flushed_; pending_.pop_front())
      durable_ = pending_.front().second;
  }

  mutable std::mutex mutex_;
  std::deque<std::pair<std::uint64_t, log_index>> pending_;
  std::uint64_t flushed_ = 0;
  std::optional<log_index> durable_;
};

}  // namespace quorate
