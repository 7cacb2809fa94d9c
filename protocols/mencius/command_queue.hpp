// Commands that wait for a batch.
#pragma once

#include "actors/command.hpp"
#include "actors/limits.hpp"

#include <deque>
#include <vector>

namespace quorate::mencius {

/// A command on its way into a batch.
struct queued {
  command what;
  bool in_doubt = false;  ///< it may have been ordered already: cannot be taken back
};

/// Commands that wait for a batch, in the order in which they came.
class command_queue {
public:
  [[nodiscard]] bool empty() const { return list_.empty(); }
  void push(queued one) { list_.push_back(std::move(one)); }
  /// Those that were on their way go first again.
  void put_back(std::vector<queued>&& commands, bool in_doubt) {
    for (auto it = commands.rbegin(); it != commands.rend(); ++it) {
      it->in_doubt = it->in_doubt || in_doubt;
      list_.push_front(std::move(*it));
    }
  }
  /// As many as one batch takes. \pre not empty
  [[nodiscard]] std::vector<queued> take_batch() {
    std::vector<queued> result;
    std::size_t bytes = 0;
    while (!list_.empty() && result.size() < limits::batch_commands_max) {
      const auto size = list_.front().what.size();
      if (!result.empty() && bytes + size > limits::batch_bytes_max)
        break;
      bytes += size;
      result.push_back(std::move(list_.front()));
      list_.pop_front();
    }
    return result;
  }
  template <class F>
  void erase_if(F f) {
    std::erase_if(list_, f);
  }
  [[nodiscard]] const std::deque<queued>& list() const { return list_; }

private:
  std::deque<queued> list_;
};

/// The bytes of a batch of these. \pre not empty
[[nodiscard]] inline payload encode(const std::vector<queued>& commands) {
  std::vector<command> list;
  list.reserve(commands.size());
  for (const auto& q : commands)
    list.push_back(q.what);
  return encode_commands(list);
}

}  // namespace quorate::mencius
