// Ranges of numbers with a value each.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace quorate::mencius {

/// Maps ranges [begin, end) to values; what no range covers has none. Neighbours with equal values are one
/// range, so that a lane that is skipped a million slots at a time stays a handful of ranges. Invariant:
/// ranges do not overlap, are not empty, and touch only where their values differ.
template <class Value>
class interval_map {
public:
  struct range {
    std::uint64_t end;
    Value value;
    friend bool operator==(const range&, const range&) = default;
  };
  /// What a change has touched: ranges that begin in [from, to] are new, or other than before, or gone.
  struct span {
    std::uint64_t from;
    std::uint64_t to;
  };
  using container = std::map<std::uint64_t, range>;
  using const_iterator = typename container::const_iterator;

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::size_t size() const { return ranges_.size(); }
  [[nodiscard]] const_iterator begin() const { return ranges_.begin(); }
  [[nodiscard]] const_iterator end() const { return ranges_.end(); }
  /// The first range that begins at or above `at`.
  [[nodiscard]] const_iterator first_from(std::uint64_t at) const { return ranges_.lower_bound(at); }
  /// The first range that ends above `at`: it covers `at`, or begins behind it.
  [[nodiscard]] const_iterator first_behind(std::uint64_t at) const {
    auto it = ranges_.upper_bound(at);
    if (it != ranges_.begin() && std::prev(it)->second.end > at)
      --it;
    return it;
  }
  [[nodiscard]] const Value* find(std::uint64_t at) const {
    const auto it = first_behind(at);
    return it != ranges_.end() && it->first <= at ? &it->second.value : nullptr;
  }
  /// The first number at or above `at` that no range covers.
  [[nodiscard]] std::uint64_t gap_from(std::uint64_t at) const {
    for (auto it = first_behind(at); it != ranges_.end() && it->first <= at; ++it)
      at = it->second.end;
    return at;
  }
  /// The highest value in [begin, end), where any range is.
  [[nodiscard]] std::optional<Value> highest(std::uint64_t begin, std::uint64_t end) const {
    std::optional<Value> result;
    if (begin >= end)
      return result;
    for (auto it = first_behind(begin); it != ranges_.end() && it->first < end; ++it)
      if (!result || *result < it->second.value)
        result = it->second.value;
    return result;
  }

  /// Everything in [begin, end) has `value` from now on.
  span assign(std::uint64_t begin, std::uint64_t end, const Value& value) {
    if (begin >= end)
      return {begin, begin};
    span touched = clear(begin, end);
    auto at = ranges_.emplace(begin, range{end, value}).first;
    if (at != ranges_.begin()) {
      const auto before = std::prev(at);
      if (before->second.end == begin && before->second.value == value) {
        touched.from = std::min(touched.from, before->first);
        before->second.end = end;
        ranges_.erase(at);
        at = before;
      }
    }
    const auto after = std::next(at);
    if (after != ranges_.end() && after->first == end && after->second.value == value) {
      touched.to = std::max(touched.to, after->first);
      at->second.end = after->second.end;
      ranges_.erase(after);
    }
    return touched;
  }
  /// Assigns `value` where it is higher than what is there, or nothing is.
  span raise(std::uint64_t begin, std::uint64_t end, const Value& value) {
    span touched{begin, begin};
    while (begin < end) {
      const auto it = first_behind(begin);
      auto stop = end;
      auto lower = true;
      if (it != ranges_.end() && it->first <= begin) {
        stop = std::min(end, it->second.end);
        lower = it->second.value < value;
      } else if (it != ranges_.end()) {
        stop = std::min(end, it->first);
      }
      if (lower) {
        const auto one = assign(begin, stop, value);
        touched = {std::min(touched.from, one.from), std::max(touched.to, one.to)};
      }
      begin = stop;
    }
    return touched;
  }
  /// Nothing in [begin, end) has a value from now on.
  span clear(std::uint64_t begin, std::uint64_t end) {
    span touched{begin, end};
    if (begin >= end)
      return touched;
    auto it = first_behind(begin);
    if (it != ranges_.end() && it->first < begin) {
      touched.from = it->first;
      const auto tail = it->second;
      ranges_.at(it->first).end = begin;
      if (tail.end > end)
        ranges_.emplace(end, tail);
      it = ranges_.lower_bound(begin);
    }
    while (it != ranges_.end() && it->first < end) {
      const auto tail = it->second;
      it = ranges_.erase(it);
      if (tail.end > end)
        ranges_.emplace(end, tail);
    }
    return touched;
  }

private:
  container ranges_;
};

}  // namespace quorate::mencius
