// Who has forgotten what.
#pragma once

#include "actors/ids.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>
#include <map>

namespace quorate {

/// What acceptors have forgotten, as a learner hears of it. Who needs more than some remember is served by sync
/// best. But whoever could serve it may be silent, or in quarantine, while a majority still has all the votes.
class floors {
public:
  floors(std::size_t members, majority quorum) : members_(members), quorum_(quorum) {}

  /// This member has forgotten everything below `floor`.
  void heard(node_id from, std::uint64_t floor) {
    auto& known = by_member_[from];
    known = std::max(known, floor);
    highest_ = std::max(highest_, floor);
  }
  [[nodiscard]] std::uint64_t highest() const { return highest_; }
  /// As far as is known, a majority has the votes from there on.
  [[nodiscard]] bool majority_remembers(std::uint64_t from) const {
    const auto gone = std::count_if(by_member_.begin(), by_member_.end(),
                                    [&](const auto& entry) { return entry.second > from; });
    return quorum_.reached(members_ - static_cast<std::size_t>(gone));
  }

private:
  std::size_t members_;
  majority quorum_;
  std::map<node_id, std::uint64_t> by_member_;
  std::uint64_t highest_ = 0;
};

}  // namespace quorate
