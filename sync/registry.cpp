#include "sync/registry.hpp"

#include "actors/role_host.hpp"
#include "sync/type_ids.hpp"

#include <algorithm>
#include <array>

namespace quorate::sync {

namespace {

std::unique_ptr<any_role> make_pull(const pull_setup& setup) {
  return std::make_unique<role_host<pull>>(setup);
}

}  // namespace

std::span<const strategy> all_strategies() {
  // Push: the members of an epoch hear every batch from the protocol itself and of everyone's position from
  // their replicas; so among members it is the pull that closes gaps.
  static const std::array<strategy, 1> table{{{"push-pull", &make_pull}}};
  return table;
}

const strategy* find_strategy(std::string_view name) {
  const auto all = all_strategies();
  const auto found = std::find_if(all.begin(), all.end(), [&](const strategy& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace quorate::sync
