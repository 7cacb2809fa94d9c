// Simulated time: one queue of everything that is going to happen.
#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace quorate::testing {

/// Runs actions in the order of their times, and those of one time in the order in which they were asked for.
class event_queue {
public:
  using action = std::function<void()>;

  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// When the next action is due. \pre not empty
  [[nodiscard]] time_point next() const { return heap_.front().when; }

  void at(time_point when, action what) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(actions_.size());
      actions_.push_back(std::move(what));
    } else {
      slot = free_.back();
      free_.pop_back();
      actions_[slot] = std::move(what);
    }
    heap_.push_back({std::max(when, now_), asked_++, slot});
    std::push_heap(heap_.begin(), heap_.end());
  }
  void after(duration wait, action what) { at(now_ + wait, std::move(what)); }

  /// Runs the next action; false where there is none.
  bool step() {
    if (heap_.empty())
      return false;
    std::pop_heap(heap_.begin(), heap_.end());
    const auto due = heap_.back();
    heap_.pop_back();
    now_ = due.when;
    ++steps_;
    const auto what = std::move(actions_[due.slot]);
    actions_[due.slot] = nullptr;
    free_.push_back(due.slot);
    what();
    return true;
  }

private:
  struct entry {
    time_point when;
    std::uint64_t number;
    std::uint32_t slot;
    // The earliest is the greatest: the standard heap has its greatest element first.
    friend bool operator<(const entry& a, const entry& b) {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  std::vector<entry> heap_;
  std::vector<action> actions_;
  std::vector<std::uint32_t> free_;
  time_point now_{};
  std::uint64_t asked_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace quorate::testing
