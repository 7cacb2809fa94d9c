// Which part of the log a replica keeps, and what it may let go.
#pragma once

#include "actors/command.hpp"
#include "protocols/quorum.hpp"
#include "runtime/timings.hpp"

#include <deque>
#include <map>

namespace quorate {

/// The log's range [first, next) on this replica: where each batch ends in the protocol, and how large it is.
/// The batches themselves are in the journal.
class replica_log {
public:
  struct entry {
    epoch_id epoch;
    cursor at;
    std::size_t bytes = 0;
  };

  explicit replica_log(log_limits limits = {}) : limits_(limits) {}

  /// Empties it and starts anew at `next`.
  void restart(log_index next);
  void append(const entry& e);
  /// Lets go of everything below `first`.
  void drop_below(log_index first);

  [[nodiscard]] log_index first() const { return first_; }
  [[nodiscard]] log_index next() const { return log_index{first_.value + entries_.size()}; }
  /// \pre first() <= index < next()
  [[nodiscard]] const entry& at(log_index index) const { return entries_.at(index.value - first_.value); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// How far the protocol may forget: a majority has everything below durably applied, and so have the
  /// others, or they are further behind than the log reaches and sync will serve them a snapshot. `durable`
  /// has every member.
  [[nodiscard]] log_index forgettable(const std::map<node_id, log_index>& durable) const;

  /// How far the log may be cut: behind a flushed state only, as far as every member has it (but a reserve is
  /// kept for those who restart), or further where the limits ask for it.
  [[nodiscard]] log_index droppable(log_index flushed, const std::map<node_id, log_index>& durable) const;

private:
  [[nodiscard]] log_index limit_first() const;

  log_limits limits_;
  log_index first_;
  std::deque<entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace quorate
