#include "runtime/replica_log.hpp"

#include <algorithm>
#include <vector>

namespace quorate {

void replica_log::restart(log_index next) {
  entries_.clear();
  bytes_ = 0;
  first_ = next;
}

void replica_log::append(const entry& e) {
  entries_.push_back(e);
  bytes_ += e.bytes;
}

void replica_log::drop_below(log_index first) {
  while (first_ < first && !entries_.empty()) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
    first_ = first_.next();
  }
}

log_index replica_log::limit_first() const {
  // The first entry that the limits let us keep.
  auto first = first_.value;
  auto bytes = bytes_;
  const auto end = next().value;
  if (end - first > limits_.entries_max)
    for (const auto keep_from = end - limits_.entries_max; first < keep_from; ++first)
      bytes -= entries_[first - first_.value].bytes;
  for (; bytes > limits_.bytes_max && first < end; ++first)
    bytes -= entries_[first - first_.value].bytes;
  return log_index{first};
}

log_index replica_log::forgettable(const std::map<node_id, log_index>& durable) const {
  std::vector<log_index> all;
  for (const auto& [node, index] : durable)
    all.push_back(index);
  if (all.empty())
    return log_index{0};
  const auto majority_has = reached_by(majority{all.size()}.size(), all);
  const auto all_have = reached_by(all.size(), all);
  // A member that is behind what our log may keep will need a snapshot anyway.
  return std::max(all_have, std::min(majority_has, limit_first()));
}

log_index replica_log::droppable(log_index flushed, const std::map<node_id, log_index>& durable) const {
  auto all_have = flushed;
  for (const auto& [node, index] : durable)
    all_have = std::min(all_have, index);
  const auto end = next().value;
  const auto reserve = limits_.entries_max / 4;
  const log_index keep_from{end > reserve ? end - reserve : 0};
  return std::min(flushed, std::max(std::min(all_have, keep_from), limit_first()));
}

}  // namespace quorate
