#include "balancers/adaptive.hpp"

#include "actors/number_options.hpp"

namespace quorate::balancers {

namespace {

double fraction(prng& random) {
  return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

/// Of those that are known; 1 where nobody is.
double mean_latency(std::span<const candidate> nodes) {
  double sum = 0;
  double known = 0;
  for (const auto& n : nodes) {
    sum += static_cast<double>(n.latency.count());
    known += n.latency.count() > 0 ? 1 : 0;
  }
  return known > 0 ? sum / known : 1;
}

}  // namespace

status read_options(const policy_options& given, adaptive_options& out) {
  return read_number_options("adaptive",
                             {{"explore_percent", 1, 50, number_into(out.explore_percent)},
                              {"failure_weight", 0, 1'000, number_into(out.failure_weight)}},
                             given);
}

std::size_t adaptive::pick(std::string_view, const choice& from, prng& random) {
  const auto n = from.nodes.size();
  if (random.below(100) < options_.explore_percent)
    return static_cast<std::size_t>(random.below(n));
  const auto mean = mean_latency(from.nodes);
  weights_.resize(n);
  double all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto& c = from.nodes[i];
    const auto latency = c.latency.count() > 0 ? static_cast<double>(c.latency.count()) : mean;
    const auto cost = latency * static_cast<double>(1 + c.outstanding) *
                      (1 + static_cast<double>(options_.failure_weight) * c.failures);
    weights_[i] = 1 / cost;
    all += weights_[i];
  }
  auto left = fraction(random) * all;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    if (left < weights_[i])
      return i;
    left -= weights_[i];
  }
  return n - 1;
}

}  // namespace quorate::balancers
