// File descriptors: how many the system grants, and who may have them.
#pragma once

#include "runtime/cluster_spec.hpp"

#include <variant>

namespace quorate {

/// Who may have how many of a process's file descriptors. Invariant: together they are no more than were granted, so
/// that no client can take what storage or another node needs.
struct file_budget {
  std::uint64_t granted = 0;
  std::uint64_t storage = 0;      ///< journal and state
  std::uint64_t nodes = 0;        ///< connections at the port for other nodes, and those that are dialled
  std::uint64_t own = 0;          ///< log, spec, locks, event loops, what libraries open
  std::uint64_t turned_away = 0;  ///< clients beyond `connections` that are still told so
  std::uint64_t connections = 0;  ///< clients: those of the spec, or as many as are left

  /// Or why that is too few to run with.
  [[nodiscard]] static std::variant<file_budget, failure> of(std::uint64_t granted, const cluster_spec& spec,
                                                             std::uint64_t segment_bytes);
};

/// Raises the limit of open files as far as the system lets us. \returns what holds then
[[nodiscard]] std::uint64_t raise_file_limit();

}  // namespace quorate
