// The same node for the same key, without a table.
#pragma once

#include "balancers/contract.hpp"

#include <vector>

namespace quorate::balancers {

/// Each node has a number for each key; the highest one wins. When a node goes, only its keys move, and they
/// spread over all others.
/// Source: D. Thaler, C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998).
class rendezvous : public policy {
public:
  void nodes_changed(std::span<const candidate> nodes) override;
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;

private:
  std::vector<std::uint64_t> seeds_;  ///< of the nodes, by position
};

}  // namespace quorate::balancers
