// Multi-decree Paxos without a leader: any node proposes for the next free slot. The reference: simple on
// purpose.
#pragma once

#include "protocols/contract.hpp"

namespace quorate::paxos {

[[nodiscard]] status check_options(const std::map<std::string, std::string>& options);

/// Proposer, acceptor and learner.
[[nodiscard]] std::vector<std::unique_ptr<any_role>> make_roles(const protocol_context& context);

/// Makes the messages known to CAF; before the actor system starts.
void register_messages();

}  // namespace quorate::paxos
