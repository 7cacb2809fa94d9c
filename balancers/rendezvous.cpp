#include "balancers/rendezvous.hpp"

#include "balancers/mix.hpp"

namespace quorate::balancers {

void rendezvous::nodes_changed(std::span<const candidate> nodes) {
  seeds_.clear();
  for (const auto& n : nodes)
    seeds_.push_back(mix(n.node.value));
}

std::size_t rendezvous::pick(std::string_view key, const choice&, prng&) {
  const auto place = place_of(key);
  std::size_t best = 0;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < seeds_.size(); ++i)
    if (const auto score = mix(place ^ seeds_[i]); score >= highest) {
      highest = score;
      best = i;
    }
  return best;
}

}  // namespace quorate::balancers
