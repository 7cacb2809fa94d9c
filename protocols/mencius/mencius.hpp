// The protocol `mencius`: leaderless by owned slots, one round trip and one sync from any node.
#pragma once

#include "protocols/contract.hpp"

namespace quorate::mencius {

/// Nothing, or which option is wrong and why; options.hpp documents them.
[[nodiscard]] status check_options(const std::map<std::string, std::string>& options);

/// Fresh proposer, acceptor and learner, in this order.
[[nodiscard]] std::vector<std::unique_ptr<any_role>> make_roles(const protocol_context& context);

/// Makes the messages known to CAF; once, before any actor system exists.
void register_messages();

}  // namespace quorate::mencius
