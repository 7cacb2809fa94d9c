#include "balancers/consistent_hash.hpp"

#include "actors/number_options.hpp"
#include "balancers/mix.hpp"

#include <algorithm>
#include <bit>

namespace quorate::balancers {

status read_options(const policy_options& given, consistent_hash_options& out) {
  return read_number_options("consistent_hash",
                             {{"virtual_nodes", 1, 1'000, number_into(out.virtual_nodes)},
                              {"load_percent", 101, 10'000, number_into(out.load_percent)}},
                             given);
}

void consistent_hash::nodes_changed(std::span<const candidate> nodes) {
  ring_.clear();
  for (std::uint32_t i = 0; i < nodes.size(); ++i)
    for (std::uint64_t v = 0; v < options_.virtual_nodes; ++v)
      ring_.push_back({mix(mix(nodes[i].node.value) + v), i});
  // Two nodes on one place: the lower id has it, whoever else is there.
  std::sort(ring_.begin(), ring_.end(), [](const point& a, const point& b) {
    return a.place != b.place ? a.place < b.place : a.node < b.node;
  });
  // One entry per point or two: the search ends after a step or so.
  const auto bits = std::max(1, static_cast<int>(std::bit_width(ring_.size())));
  shift_ = 64 - bits;
  index_.assign(std::size_t{1} << bits, 0);
  std::uint32_t at = 0;
  for (std::uint64_t i = 0; i < index_.size(); ++i) {
    while (at < ring_.size() && ring_[at].place < i << shift_)
      ++at;
    index_[i] = at;
  }
}

std::size_t consistent_hash::pick(std::string_view key, const choice& from, prng&) {
  const auto place = place_of(key);
  std::size_t at = index_[place >> shift_];
  while (at < ring_.size() && ring_[at].place < place)
    ++at;
  // What each may have once this command is handed over; rounded up, so that there is always somebody.
  const auto all = (from.outstanding + 1) * options_.load_percent;
  const auto share = from.nodes.size() * 100;
  const auto most = (all + share - 1) / share;
  for (std::size_t steps = 0; steps < ring_.size(); ++steps, ++at) {
    at = at < ring_.size() ? at : 0;
    const auto node = ring_[at].node;
    if (from.nodes[node].outstanding < most)
      return node;
  }
  return 0;
}

}  // namespace quorate::balancers
