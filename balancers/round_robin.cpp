#include "balancers/round_robin.hpp"

#include <algorithm>

namespace quorate::balancers {

void round_robin::nodes_changed(std::span<const candidate> nodes) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [this](const candidate& c) { return c.node > turn_; });
  next_ = found == nodes.end() ? 0 : static_cast<std::size_t>(found - nodes.begin());
}

std::size_t round_robin::pick(std::string_view, const choice& from, prng&) {
  const auto now = next_ < from.nodes.size() ? next_ : 0;
  next_ = now + 1;
  turn_ = from.nodes[now].node;
  return now;
}

}  // namespace quorate::balancers
