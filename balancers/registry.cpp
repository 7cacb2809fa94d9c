#include "balancers/registry.hpp"

#include "actors/number_options.hpp"
#include "balancers/adaptive.hpp"
#include "balancers/consistent_hash.hpp"
#include "balancers/least_connections.hpp"
#include "balancers/local.hpp"
#include "balancers/power_of_two.hpp"
#include "balancers/random.hpp"
#include "balancers/rendezvous.hpp"
#include "balancers/round_robin.hpp"

#include <algorithm>
#include <array>

namespace quorate {

namespace {

using namespace balancers;

/// A policy without options.
template <class P>
balancer_policy plain(std::string_view name, std::string_view summary) {
  return {name, summary,
          [](const policy_options& given) { return read_number_options("this policy", {}, given); },
          [](const policy_options&) -> std::unique_ptr<policy> { return std::make_unique<P>(); }};
}

template <class P, class Options>
balancer_policy with_options(std::string_view name, std::string_view summary) {
  return {name, summary,
          [](const policy_options& given) {
            Options options;
            return read_options(given, options);
          },
          [](const policy_options& given) -> std::unique_ptr<policy> {
            Options options;
            static_cast<void>(read_options(given, options));
            return std::make_unique<P>(options);
          }};
}

}  // namespace

std::span<const balancer_policy> all_balancers() {
  static const std::array table{
      plain<local>("local", "the node that a client speaks to (clients spread themselves)"),
      plain<random_choice>("random", "any node"),
      plain<round_robin>("round_robin", "one node after the other"),
      plain<least_connections>("least_connections", "the node with the fewest outstanding commands"),
      plain<power_of_two>("power_of_two", "of two nodes drawn at random the less loaded one"),
      with_options<consistent_hash, consistent_hash_options>(
          "consistent_hash", "the same node for the same key, unless it is much busier than the others"),
      plain<rendezvous>("rendezvous", "the same node for the same key"),
      with_options<adaptive, adaptive_options>("adaptive", "less for nodes that are slow or fail"),
  };
  return table;
}

const balancer_policy* find_balancer(std::string_view name) {
  const auto all = all_balancers();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& b) { return b.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::variant<chosen_policy, failure> choose_balancer(const std::string& name, const policy_options& given) {
  const auto* found = find_balancer(name);
  if (!found) {
    std::string known;
    for (const auto& b : all_balancers())
      known += (known.empty() ? "" : ", ") + std::string{b.name};
    return failure{errc::bad_config, "there is no policy \"" + name + "\"; known: " + known};
  }
  if (auto wrong = found->check_options(given))
    return std::move(*wrong);
  return chosen_policy{name, given, [found, given] { return found->make(given); }};
}

}  // namespace quorate
