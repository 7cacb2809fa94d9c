// The policies that a cluster spec can name for which node takes a command.
#pragma once

#include "balancers/contract.hpp"

#include <variant>

namespace quorate {

struct balancer_policy {
  std::string_view name;
  std::string_view summary;
  /// Nothing, or which option is wrong and why.
  status (*check_options)(const balancers::policy_options& given);
  /// \pre the options are right
  std::unique_ptr<balancers::policy> (*make)(const balancers::policy_options& given);
};

[[nodiscard]] std::span<const balancer_policy> all_balancers();
/// Null where there is none of that name.
[[nodiscard]] const balancer_policy* find_balancer(std::string_view name);
/// The policy of this name with these options, or what is wrong with them.
[[nodiscard]] std::variant<balancers::chosen_policy, failure>
choose_balancer(const std::string& name, const balancers::policy_options& given);

}  // namespace quorate
