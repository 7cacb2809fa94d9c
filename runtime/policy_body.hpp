// Reads the body of PUT /balancer.
#pragma once

#include "balancers/contract.hpp"
#include "runtime/append_body.hpp"

namespace quorate {

namespace limits {

inline constexpr std::size_t policy_bytes_max = 4 * 1024;  ///< the body of PUT /balancer

}  // namespace limits

/// Reads {"policy": "name", "options": {"name": number or text, ...}}; "options" may be missing. Everything
/// else is refused, a policy or option that the registry does not know too.
[[nodiscard]] std::variant<balancers::chosen_policy, append_fault> read_policy_body(std::string_view body);

}  // namespace quorate
