// A learner that is behind what others remember.
#pragma once

#include "actors/ids.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace quorate {

/// What acceptors have forgotten, as a learner hears of it, and what to do about that. Who needs more than some
/// remember is served by sync best. But whoever could serve it may be silent, or in quarantine, while a majority
/// still has all the votes: then the learner helps itself.
class lag {
public:
  static constexpr duration complain_every = std::chrono::milliseconds{200};
  static constexpr duration sync_helps_within = std::chrono::milliseconds{500};

  lag(std::size_t members, majority quorum) : members_(members), quorum_(quorum) {}

  /// This member has forgotten everything below `floor`.
  void forgotten(node_id by, std::uint64_t floor) {
    auto& known = by_member_[by];
    known = std::max(known, floor);
    highest_ = std::max(highest_, floor);
  }
  /// Somebody has forgotten everything below it.
  [[nodiscard]] std::uint64_t floor() const { return highest_; }

  struct duty {
    bool begins = false;     ///< it was not behind before
    bool complains = false;  ///< sync is to be called, or called again
  };
  /// It is behind.
  [[nodiscard]] duty notice(time_point now) {
    const auto begins = !since_;
    if (begins)
      since_ = now;
    const auto complains = begins || now >= complain_at_;
    if (complains)
      complain_at_ = now + complain_every;
    return {begins, complains};
  }
  /// It is not, or not any more.
  void over() { since_.reset(); }
  /// Who needs what lies from `next` on leaves that to sync: it helps soon, or there is nobody else.
  [[nodiscard]] bool waits_for_sync(std::uint64_t next, time_point now) const {
    return since_ && (now - *since_ < sync_helps_within || !majority_remembers(next));
  }

private:
  /// As far as is known, a majority has the votes from there on.
  [[nodiscard]] bool majority_remembers(std::uint64_t from) const {
    const auto gone = std::count_if(by_member_.begin(), by_member_.end(),
                                    [&](const auto& entry) { return entry.second > from; });
    return quorum_.reached(members_ - static_cast<std::size_t>(gone));
  }

  std::size_t members_;
  majority quorum_;
  std::map<node_id, std::uint64_t> by_member_;
  std::uint64_t highest_ = 0;
  std::optional<time_point> since_;
  time_point complain_at_{};
};

}  // namespace quorate
