#include "balancers/random.hpp"

namespace quorate::balancers {

std::size_t random_choice::pick(std::string_view, const choice& from, prng& random) {
  return static_cast<std::size_t>(random.below(from.nodes.size()));
}

}  // namespace quorate::balancers
