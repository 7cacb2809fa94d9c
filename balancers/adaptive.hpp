// Less for nodes that are slow or fail, and a little for everybody, to see whether they still are.
#pragma once

#include "balancers/contract.hpp"

#include <vector>

namespace quorate::balancers {

struct adaptive_options {
  /// `explore_percent`, 1 to 50, default 5: commands that go to any node, whatever is known of it. More: a
  /// node that has recovered is noticed sooner. Fewer: fewer commands are slow meanwhile.
  std::uint64_t explore_percent = 5;
  /// `failure_weight`, 0 to 1000, default 20: a node that answers nothing counts as so many times slower.
  std::uint64_t failure_weight = 20;
};

[[nodiscard]] status read_options(const policy_options& given, adaptive_options& out);

/// Draws a node with a probability that falls with its recent latency, its failures and what it has to do
/// already (latency times queue, as in "peak EWMA": a slow node is noticed by its queue even before it
/// answers). A node of which nothing is known counts as an average one.
class adaptive : public policy {
public:
  explicit adaptive(adaptive_options options = {}) : options_(options) {}

  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;

private:
  adaptive_options options_;
  std::vector<double> weights_;  ///< of the pick at hand, kept for its memory
};

}  // namespace quorate::balancers
