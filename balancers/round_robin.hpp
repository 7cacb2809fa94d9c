// One node after the other.
#pragma once

#include "balancers/contract.hpp"

namespace quorate::balancers {

/// Promise: while no node comes or goes, the numbers of commands that two nodes get differ by at most one.
class round_robin : public policy {
public:
  void nodes_changed(std::span<const candidate> nodes) override;
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;

private:
  std::size_t next_ = 0;
  node_id turn_;  ///< who had the last one, so that a change of nodes does not favour the first
};

}  // namespace quorate::balancers
