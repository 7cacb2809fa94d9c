#include "tests/harness/network_model.hpp"

namespace quorate::testing {

network_model::network_model(std::size_t nodes, const network_conditions& conditions, std::uint64_t seed)
    : nodes_(nodes), conditions_(conditions), links_(nodes * nodes), prng_(seed) {
  if (!conditions.uneven)
    return;
  for (auto& way : links_) {
    way.loss_factor = static_cast<double>(prng_.below(300)) / 100;
    way.delay_factor = static_cast<double>(prng_.between(50, 1000)) / 100;
  }
}

void network_model::heal() {
  conditions_.loss = 0;
  conditions_.duplication = 0;
  conditions_.stray = 0;
  for (auto& way : links_)
    way = link{};
}

duration network_model::delay(const link& way) {
  const auto low = static_cast<std::uint64_t>(conditions_.delay_min.count());
  const auto high = static_cast<std::uint64_t>(conditions_.delay_max.count());
  if (conditions_.stray > 0 && prng_.chance(conditions_.stray))
    return way.more + duration{prng_.between(low, static_cast<std::uint64_t>(conditions_.stray_max.count()))};
  return way.more + duration{static_cast<std::int64_t>(static_cast<double>(prng_.between(low, high)) *
                                                       way.delay_factor)};
}

const std::vector<duration>& network_model::plan(node_id from, node_id to, time_point now) {
  plan_.clear();
  auto& way = link_of(from, to);
  if (way.cuts > 0)
    return plan_;
  if (conditions_.loss <= 0 || !prng_.chance(conditions_.loss * way.loss_factor))
    plan_.push_back(delay(way));
  if (conditions_.duplication > 0 && prng_.chance(conditions_.duplication))
    plan_.push_back(delay(way));
  if (!conditions_.reorder) {
    for (auto& wait : plan_) {
      way.last = std::max(way.last, now + wait);
      wait = way.last - now;
    }
  }
  return plan_;
}

}  // namespace quorate::testing
