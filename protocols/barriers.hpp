// Reads that wait for what was acknowledged before them.
#pragma once

#include "actors/traffic.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace quorate {

/// Open barriers of a learner: each asks a majority how far anybody may have come, and is reached once
/// everything below the highest answer has been delivered. What was acknowledged before has a majority of
/// votes, so one of those who answer has told of it.
/// Invariant: at most two are open, the learner's own question at its start and the replica's newest one. A
/// replica that reads without a majority asks for as long as it has clients; what it holds here, and the
/// questions that it sends, must not grow with that.
class open_barriers {
public:
  static constexpr duration ask_after = std::chrono::milliseconds{20};
  static constexpr duration ask_every_max = std::chrono::milliseconds{160};

  explicit open_barriers(majority quorum) : quorum_(quorum) {}

  [[nodiscard]] bool empty() const { return list_.empty(); }

  /// The replica asks: its newest question takes the place of an earlier one; a repeat of one that is open
  /// changes nothing, since answers that have come already count for it; the token 0 says that nobody waits.
  /// \returns its number, for the question to all members; none: there is nothing to ask
  std::optional<std::uint64_t> open(token asked, time_point now) {
    if (std::any_of(list_.begin(), list_.end(), [&](const auto& one) { return one.second.asked == asked; }))
      return std::nullopt;
    void_asked();
    return asked == token{} ? std::nullopt : std::optional{add(asked, now)};
  }
  /// Our own question, at the start. \returns its number
  std::uint64_t open_own(time_point now) { return add(std::nullopt, now); }
  /// \returns up to where all must be delivered, where this answer makes the majority
  std::optional<std::uint64_t> answered(std::uint64_t number, node_id from, std::uint64_t high) {
    const auto found = list_.find(number);
    if (found == list_.end() || found->second.target)
      return std::nullopt;
    auto& b = found->second;
    b.replies.add(from);
    b.highest = std::max(b.highest, high);
    if (quorum_.reached(b.replies.size()))
      b.target = b.highest;
    return b.target;
  }
  /// Those that are reached with everything below `next` delivered.
  [[nodiscard]] std::vector<token> reached(std::uint64_t next) {
    std::vector<token> out;
    for (auto it = list_.begin(); it != list_.end();) {
      if (!it->second.target || *it->second.target > next) {
        ++it;
        continue;
      }
      if (it->second.asked)
        out.push_back(*it->second.asked);
      it = list_.erase(it);
    }
    return out;
  }
  /// Whom to ask again, and about which.
  template <class F>
  void ask_again(time_point now, const std::vector<node_id>& members, F ask) {
    for (auto& [number, b] : list_) {
      if (b.target || b.again_at > now)
        continue;
      b.every = std::min(b.every * 2, ask_every_max);
      b.again_at = now + b.every;
      std::vector<node_id> silent;
      for (const auto m : members)
        if (!b.replies.has(m))
          silent.push_back(m);
      ask(number, silent);
    }
  }
  /// The replica asks again; our own question still stands.
  void void_asked() {
    std::erase_if(list_, [](const auto& entry) { return entry.second.asked.has_value(); });
  }

private:
  struct barrier {
    std::optional<token> asked;
    vote_count replies;
    std::uint64_t highest = 0;
    std::optional<std::uint64_t> target;  ///< a majority has answered
    duration every{};
    time_point again_at{};
  };

  std::uint64_t add(std::optional<token> asked, time_point now) {
    auto& b = list_[++count_];
    b.asked = asked;
    b.every = ask_after;
    b.again_at = now + b.every;
    return count_;
  }

  majority quorum_;
  std::uint64_t count_ = 0;
  std::map<std::uint64_t, barrier> list_;
};

}  // namespace quorate
