// The node with the fewest outstanding commands.
#pragma once

#include "balancers/contract.hpp"

namespace quorate::balancers {

/// Among equals they take turns: otherwise an idle cluster would send everything to its first node.
class least_connections : public policy {
public:
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;

private:
  std::size_t first_ = 0;  ///< where the search begins
};

}  // namespace quorate::balancers
