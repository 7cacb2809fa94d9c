// Reads the options of policies.
#pragma once

#include "balancers/contract.hpp"

#include <initializer_list>

namespace quorate::balancers {

/// A whole number that a policy can be given.
struct number_option {
  std::string_view name;
  std::uint64_t least;
  std::uint64_t most;
  std::uint64_t* target;
};

/// Sets the targets from what was given; names the option that is unknown or out of range.
[[nodiscard]] status read_numbers(std::string_view policy, const policy_options& given,
                                  std::initializer_list<number_option> known);

}  // namespace quorate::balancers
