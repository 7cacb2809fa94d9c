#include "balancers/local.hpp"

namespace quorate::balancers {

std::size_t local::pick(std::string_view, const choice& from, prng&) {
  for (std::size_t i = 0; i < from.nodes.size(); ++i)
    if (from.nodes[i].self)
      return i;
  return 0;
}

}  // namespace quorate::balancers
