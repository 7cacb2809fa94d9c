// Reads of the journal, a few at a time.
#pragma once

#include "actors/outbox.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

namespace quorate {

/// Reads of the journal for others: some are under way, the rest wait for their turn. None is left out for
/// another one that came earlier: whoever asks for several things at once, over and over in the same order,
/// gets all of them. What is asked for twice is read once.
template <class Request>
class disk_reads {
public:
  static constexpr std::size_t waiting_max = 1'024;  ///< beyond: silence, and whoever needs it asks again

  /// What `Request` says, and where its rows stand.
  struct read {
    Request what;
    std::string from;
    std::string to;
    friend bool operator==(const read&, const read&) = default;
  };

  disk_reads(std::size_t at_once_max, std::size_t bytes_max)
      : at_once_max_(std::max<std::size_t>(at_once_max, 1)), bytes_max_(bytes_max) {}

  /// \returns false where too much waits already
  [[nodiscard]] bool ask(read one, effects& o) {
    if (std::find(waiting_.begin(), waiting_.end(), one) != waiting_.end())
      return true;
    if (waiting_.size() >= waiting_max)
      return false;
    waiting_.push_back(std::move(one));
    go_on(o);
    return true;
  }
  /// What these rows were read for; nothing where nobody has asked. Begins the next read.
  [[nodiscard]] std::optional<Request> done(const journal_rows& rows, effects& o) {
    const auto found = under_way_.find(rows.id);
    if (found == under_way_.end())
      return std::nullopt;
    auto what = std::move(found->second);
    under_way_.erase(found);
    go_on(o);
    return what;
  }
  /// Those that wait and are of no use any more are left out.
  template <class Useless>
  void drop_waiting(Useless useless) {
    std::erase_if(waiting_, [&](const read& r) { return useless(r); });
  }
  /// Reads that wait for others to end.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
  void go_on(effects& o) {
    while (!waiting_.empty() && under_way_.size() < at_once_max_) {
      auto& next = waiting_.front();
      const token id{++count_};
      under_way_.emplace(id, std::move(next.what));
      o.read(id, std::move(next.from), std::move(next.to), bytes_max_);
      waiting_.pop_front();
    }
  }

  std::size_t at_once_max_;
  std::size_t bytes_max_;
  std::uint64_t count_ = 0;
  std::map<token, Request> under_way_;
  std::deque<read> waiting_;
};

}  // namespace quorate
