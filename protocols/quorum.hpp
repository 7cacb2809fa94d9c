// Majorities, as an object: the only place that counts them.
#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace quorate {

/// Which sets of members decide. Any two majorities share a member.
class majority {
public:
  explicit majority(std::size_t members) : members_(members) {}

  [[nodiscard]] std::size_t size() const { return members_ / 2 + 1; }
  [[nodiscard]] bool reached(std::size_t votes) const { return votes >= size(); }

private:
  std::size_t members_;
};

/// The highest value that `n` of these have reached; puts them into another order.
/// \pre 1 <= n <= values.size()
template <class T>
[[nodiscard]] T reached_by(std::size_t n, std::vector<T>& values) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(n - 1);
  std::nth_element(values.begin(), nth, values.end(), std::greater<>{});
  return *nth;
}

/// Distinct members that said the same thing.
class vote_count {
public:
  /// False where this member was counted before.
  bool add(node_id member);
  [[nodiscard]] bool has(node_id member) const;
  [[nodiscard]] std::size_t size() const { return voters_.size(); }
  [[nodiscard]] const std::vector<node_id>& voters() const { return voters_; }
  void clear() { voters_.clear(); }

private:
  std::vector<node_id> voters_;  // at most limits::members_max: a scan beats a tree
};

}  // namespace quorate
