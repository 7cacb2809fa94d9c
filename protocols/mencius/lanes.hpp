// Whose slot is whose.
#pragma once

#include "actors/ensure.hpp"
#include "actors/ids.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace quorate::mencius {

/// Position in the protocol's order, from 0. A cursor's value is the slot behind the last one that is over: 0
/// at the beginning of an epoch.
using slot = std::uint64_t;
/// A member's place in the epoch's order, 0 ... n-1.
using lane = std::uint32_t;

/// Deals the slots out to the members: slot s belongs to member s mod n.
/// Source: Mao, Junqueira, Marzullo, "Mencius" (OSDI 2008), section 4.1 (simple coordinated consensus).
class lanes {
public:
  explicit lanes(std::vector<node_id> members) : members_(std::move(members)) {}

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const std::vector<node_id>& members() const { return members_; }
  [[nodiscard]] lane of(slot s) const { return static_cast<lane>(s % members_.size()); }
  [[nodiscard]] node_id owner(lane l) const { return members_[l]; }
  /// \pre it is a member
  [[nodiscard]] lane of(node_id member) const {
    const auto found = std::find(members_.begin(), members_.end(), member);
    ENSURE(found != members_.end(), "mencius: " + text(member) + " is no member");
    return static_cast<lane>(found - members_.begin());
  }
  /// The first slot of `l` at or above `s`.
  [[nodiscard]] slot at_or_above(lane l, slot s) const {
    const auto n = members_.size();
    return s + (l + n - s % n) % n;
  }
  /// Where a slot stands in its lane: 0, 1, 2, ….
  [[nodiscard]] std::uint64_t position(slot s) const { return s / members_.size(); }
  /// How many slots of `l` lie below `s`: the position of the first one at or above it.
  [[nodiscard]] std::uint64_t positions_below(lane l, slot s) const { return position(at_or_above(l, s)); }
  [[nodiscard]] slot slot_at(lane l, std::uint64_t position) const { return position * members_.size() + l; }

private:
  std::vector<node_id> members_;
};

}  // namespace quorate::mencius
