// Proposal numbers.
#pragma once

#include "actors/ids.hpp"

namespace quorate {

/// A proposal number. Ordered by round, then by node, so that two nodes never share one.
/// The zero ballot is below every ballot that is ever used.
/// Source: L. Lamport, "Paxos Made Simple" (2001), section 2.5.
struct ballot {
  std::uint64_t round = 0;
  node_id node;
  friend constexpr auto operator<=>(const ballot&, const ballot&) = default;
};

[[nodiscard]] inline std::string text(const ballot& b) {
  return std::to_string(b.round) + "." + text(b.node);
}

}  // namespace quorate
