// The same node for the same key, as long as that node is not much busier than the others.
#pragma once

#include "balancers/contract.hpp"

#include <vector>

namespace quorate::balancers {

struct consistent_hash_options {
  /// `virtual_nodes`, 1 to 1000, default 100: places of each node on the ring. More: keys spread more evenly.
  /// Fewer: less memory (12 bytes each).
  std::uint64_t virtual_nodes = 100;
  /// `load_percent`, 101 to 10000, default 125: how much of the average of outstanding commands a node may
  /// have; beyond, a key goes on to the next place on the ring. Lower: more even. Higher: keys move less.
  std::uint64_t load_percent = 125;
};

[[nodiscard]] status read_options(const policy_options& given, consistent_hash_options& out);

/// A ring of places. A key belongs to the node of the next place behind it. When a node goes, only its keys
/// move; when one comes, only keys that it gets.
/// Invariant: a node that takes a command has at most `load_percent` of the average then, rounded up.
/// Source: D. Karger et al., "Consistent Hashing and Random Trees" (1997); V. Mirrokni, M. Thorup,
/// M. Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
class consistent_hash : public policy {
public:
  explicit consistent_hash(consistent_hash_options options = {}) : options_(options) {}

  void nodes_changed(std::span<const candidate> nodes) override;
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;

private:
  struct point {
    std::uint64_t place;
    std::uint32_t node;  ///< its position among the candidates
  };

  consistent_hash_options options_;
  std::vector<point> ring_;           ///< sorted by place
  std::vector<std::uint32_t> index_;  ///< by the highest bits of a place: where on the ring to look first
  int shift_ = 63;                    ///< from a place to its entry in `index_`
};

}  // namespace quorate::balancers
