// The protocols that a cluster spec can name.
#pragma once

#include "protocols/contract.hpp"

#include <span>
#include <string_view>

namespace quorate {

[[nodiscard]] std::span<const protocol> all_protocols();

/// Null where no protocol has this name.
[[nodiscard]] const protocol* find_protocol(std::string_view name);

/// Makes the messages of all protocols known to CAF; before the actor system starts.
void register_protocol_messages();

}  // namespace quorate
