// A list of members, asked by number and by name.
#pragma once

#include "actors/origin.hpp"

#include <string>
#include <vector>

namespace quorate {

/// Their numbers, in the list's order.
[[nodiscard]] std::vector<node_id> ids_of(const std::vector<member>& members);

/// What lines for people call this node: its name, or its number where it is no member.
[[nodiscard]] std::string name_of(node_id node, const std::vector<member>& members);

}  // namespace quorate
