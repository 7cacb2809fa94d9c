// Gets hold of the door of a node.
#pragma once

#include "runtime/transport_guard.hpp"

namespace quorate {

/// Connects, blocking for some seconds at most; a name is looked up anew. Null where nobody listens, answers or is a door.
[[nodiscard]] caf::strong_actor_ptr dial_door(caf::actor_system& system, transport_guard& guard,
                                              const std::string& host, std::uint16_t port);

}  // namespace quorate
