#include "balancers/power_of_two.hpp"

namespace quorate::balancers {

std::size_t power_of_two::pick(std::string_view, const choice& from, prng& random) {
  const auto n = from.nodes.size();
  const auto one = static_cast<std::size_t>(random.below(n));
  if (n == 1)
    return one;
  auto other = static_cast<std::size_t>(random.below(n - 1));
  other += other >= one ? 1 : 0;
  return from.nodes[other].outstanding < from.nodes[one].outstanding ? other : one;
}

}  // namespace quorate::balancers
