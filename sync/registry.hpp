// The sync strategies, by name.
#pragma once

#include "actors/role.hpp"
#include "sync/pull.hpp"

#include <span>
#include <string>

namespace quorate::sync {

/// A strategy makes the role behind port::sync.
struct strategy {
  std::string name;
  std::unique_ptr<any_role> (*make)(const pull_setup& setup);
};

[[nodiscard]] std::span<const strategy> all_strategies();
/// Null where there is none of that name.
[[nodiscard]] const strategy* find_strategy(std::string_view name);

}  // namespace quorate::sync
