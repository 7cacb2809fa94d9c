#include "tests/harness/network_model.hpp"

#include "actors/link_account.hpp"

#include <algorithm>

namespace quorate::testing {

network_model::network_model(std::size_t nodes, const network_conditions& conditions, std::uint64_t seed)
    : nodes_(nodes), conditions_(conditions), links_(nodes * nodes), free_at_(nodes), prng_(seed) {
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
    static_cast<condition&>(way) = {};
}

duration network_model::delay(const link& way) {
  const auto low = static_cast<std::uint64_t>(conditions_.delay_min.count());
  const auto high = static_cast<std::uint64_t>(conditions_.delay_max.count());
  if (conditions_.stray > 0 && prng_.chance(conditions_.stray))
    return way.more + duration{prng_.between(low, static_cast<std::uint64_t>(conditions_.stray_max.count()))};
  return way.more + duration{static_cast<std::int64_t>(static_cast<double>(prng_.between(low, high)) *
                                                       way.delay_factor)};
}

duration network_model::transmission(link& way, node_id from, time_point now, std::size_t bytes) {
  if (conditions_.bytes_per_second == 0)
    return {};
  const auto takes = [&](std::size_t n) {
    return duration{static_cast<std::int64_t>(n * 1'000'000'000ULL / conditions_.bytes_per_second)};
  };
  auto& free = free_at_[from.value - 1];
  const auto begins = std::max(now, free);
  if (bytes <= link_account::short_bytes_max) {
    // It goes between the pieces of what is long, and delays that.
    free = begins + takes(bytes);
    return std::min(begins - now, takes(2 * piece_bytes)) + takes(bytes);
  }
  free = begins + takes(bytes);
  way.handed += bytes;
  way.transfers.push_back({begins, free, way.handed});
  return free - now;
}

void network_model::forget_ended(link& way, time_point now) {
  for (; !way.transfers.empty() && way.transfers.front().ends <= now; way.transfers.pop_front()) {
    way.taken = way.transfers.front().upto;
    way.took = way.transfers.front().ends - way.transfers.front().begins;
  }
}

std::uint64_t network_model::taken(node_id from, node_id to, time_point now) {
  auto& way = link_of(from, to);
  // The receiver's word that it has them takes its time.
  forget_ended(way, now - conditions_.delay_max);
  return way.taken;
}

duration network_model::transfer(node_id from, node_id to, time_point now) {
  auto& way = link_of(from, to);
  auto last = way.took;
  for (const auto& t : way.transfers)
    if (t.ends <= now)
      last = t.ends - t.begins;
  return last;
}

bool network_model::arriving(node_id from, node_id to, time_point now) {
  const auto& way = link_of(from, to);
  return way.cuts == 0 && std::ranges::any_of(way.transfers, [&](const crossing& t) {
           return now < t.ends;  // pieces of all that waits go in turns
         });
}

const std::vector<duration>& network_model::plan(node_id from, node_id to, time_point now,
                                                 std::size_t bytes) {
  plan_.clear();
  auto& way = link_of(from, to);
  if (way.cuts > 0)
    return plan_;
  if (conditions_.loss <= 0 || !prng_.chance(conditions_.loss * way.loss_factor))
    plan_.push_back(delay(way));
  if (conditions_.duplication > 0 && prng_.chance(conditions_.duplication))
    plan_.push_back(delay(way));
  if (const auto longer = transmission(way, from, now, bytes); longer > duration{})
    for (auto& wait : plan_)
      wait += longer;
  if (!conditions_.reorder) {
    for (auto& wait : plan_) {
      way.last = std::max(way.last, now + wait);
      wait = way.last - now;
    }
  }
  return plan_;
}

}  // namespace quorate::testing
