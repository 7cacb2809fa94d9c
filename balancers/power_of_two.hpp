// Of two nodes drawn at random the less loaded one.
#pragma once

#include "balancers/contract.hpp"

namespace quorate::balancers {

/// Nearly as even as `least_connections`, without many balancers running to the same node at once.
/// Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
class power_of_two : public policy {
public:
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;
};

}  // namespace quorate::balancers
