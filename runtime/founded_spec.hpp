// What was founded holds, whatever the spec says later.
#pragma once

#include "actors/journal.hpp"
#include "actors/messages.pb.h"
#include "runtime/cluster_spec.hpp"

#include <optional>

namespace quorate {

/// What a node runs with, and what its owner should know of it.
struct founded_spec {
  cluster_spec spec;
  std::string warning;  ///< one line: in what the spec differs from what was founded; empty where in nothing
};

using founded_spec_result = std::variant<founded_spec, failure>;

/// What a node runs with. On a blank disk that is the spec. Once a node has confirmed a list of members, or
/// founded, that list holds: its members under their numbers, its protocol with its options, its machine. The
/// spec then gives the addresses of those members that it names, and everything that is a node's own matter
/// (balancer, sync, timeouts, limits). A node of the spec that was not founded stays in the list, marked,
/// under a number that no member has: so that it can be told. A member that the spec does not name has no
/// address. `saved` is where founding saves. Errors: bad_config, where this program does not know what was
/// founded; corrupt, where what was saved cannot be read or is another node's.
[[nodiscard]] founded_spec_result settle_spec(cluster_spec spec, const std::string& node,
                                              const journal& saved, const known_names& known);

/// The same, of the list that a disk holds.
[[nodiscard]] founded_spec_result settle_spec(cluster_spec spec, const std::string& node,
                                              const wire::Founding& list, const known_names& known);

}  // namespace quorate
