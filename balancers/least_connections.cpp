#include "balancers/least_connections.hpp"

namespace quorate::balancers {

std::size_t least_connections::pick(std::string_view, const choice& from, prng&) {
  const auto n = from.nodes.size();
  auto i = first_ < n ? first_ : 0;
  auto best = i;
  for (std::size_t left = n; left > 0; --left) {
    if (from.nodes[i].outstanding < from.nodes[best].outstanding)
      best = i;
    i = i + 1 < n ? i + 1 : 0;
  }
  first_ = best + 1;
  return best;
}

}  // namespace quorate::balancers
