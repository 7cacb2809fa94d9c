// Linearizable reads that wait for a barrier.
#pragma once

#include "actors/traffic.hpp"

#include <optional>

namespace quorate {

/// Many reads share one barrier, one barrier is open at a time.
/// Invariant: a read is let go only by a barrier that was asked for after the read had come.
class pending_reads {
public:
  void add(query read) { next_.push_back(std::move(read)); }
  /// Nobody waits any more. \returns what to tell the learner where a barrier is open
  [[nodiscard]] std::optional<barrier> clear();
  /// The edge has answered these itself. \returns what to tell the learner where nobody waits for the open
  /// barrier any more: it asks no further
  [[nodiscard]] std::optional<barrier> drop(const std::vector<token>& ids);

  /// The barrier to ask for now: where none is open and reads wait.
  [[nodiscard]] std::optional<barrier> open(time_point now);
  /// The one to ask for instead of the open one, which has become void; nothing where none is open.
  [[nodiscard]] std::optional<barrier> reopen(time_point now);
  /// The open one, where it was asked for that long ago: asking again is harmless.
  [[nodiscard]] std::optional<barrier> overdue(time_point now, duration after) const;
  /// The reads that may run; none where this is not the open barrier, which is closed.
  [[nodiscard]] std::vector<query> reached(token id);

private:
  barrier start(time_point now);

  token open_;  ///< 0: none
  std::uint64_t count_ = 0;
  time_point asked_{};
  std::vector<query> behind_;  ///< wait for the open barrier
  std::vector<query> next_;    ///< came after it was asked for
};

}  // namespace quorate
