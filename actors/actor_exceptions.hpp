// Exceptions that reach the edge of an actor.
#pragma once

#include <caf/fwd.hpp>

#include <functional>
#include <string>

namespace quorate {

/// Calls `fatal` with "<place>: <what>" for whatever a handler of this actor throws. CAF would print it and end that
/// actor alone, which leaves the others with half a node.
void end_with_exceptions(caf::scheduled_actor* self, std::function<void(const std::string& message)> fatal,
                         std::string place);

}  // namespace quorate
