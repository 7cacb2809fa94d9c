#include "runtime/pending_reads.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace quorate {

std::optional<barrier> pending_reads::drop(const std::vector<token>& ids) {
  const std::set<token> gone{ids.begin(), ids.end()};
  const auto dropped = [&](const query& q) { return gone.contains(q.id); };
  std::erase_if(behind_, dropped);
  std::erase_if(next_, dropped);
  if (open_ == token{} || !behind_.empty())
    return std::nullopt;
  open_ = token{};
  return barrier{open_};
}

std::optional<barrier> pending_reads::clear() {
  behind_.clear();
  next_.clear();
  if (std::exchange(open_, token{}) == token{})
    return std::nullopt;
  return barrier{open_};
}

barrier pending_reads::start(time_point now) {
  open_ = token{++count_};
  asked_ = now;
  std::move(next_.begin(), next_.end(), std::back_inserter(behind_));
  next_.clear();
  return {open_};
}

std::optional<barrier> pending_reads::open(time_point now) {
  if (open_ != token{} || next_.empty())
    return std::nullopt;
  return start(now);
}

std::optional<barrier> pending_reads::reopen(time_point now) {
  if (open_ == token{})
    return std::nullopt;
  return start(now);
}

std::optional<barrier> pending_reads::overdue(time_point now, duration after) const {
  if (open_ == token{} || now - asked_ < after)
    return std::nullopt;
  return barrier{open_};
}

std::vector<query> pending_reads::reached(token id) {
  if (id != open_ || open_ == token{})
    return {};
  open_ = token{};
  auto ready = std::move(behind_);
  behind_.clear();
  return ready;
}

}  // namespace quorate
