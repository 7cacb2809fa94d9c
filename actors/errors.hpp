// The one list of expected failures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate {

/// Expected failures. The names are what clients see as "error" in an answer.
enum class errc : std::uint8_t {
  ok = 0,
  no_quorum,        ///< certainly not ordered, and never will be
  unknown_outcome,  ///< may or may not have been ordered
  session_expired,  ///< the command's session is unknown or its window has passed it: never executed
  overloaded,       ///< a limit of this node is reached: never ordered
  too_large,        ///< above a named limit
  invalid_command,  ///< the state machine cannot read the command or query
  not_founded,      ///< this node has no cluster yet: never ordered
  moved,            ///< this node is no member any more: never executed
  bad_config,       ///< the spec or the command line is wrong
  io_failed,        ///< the disk did not do what it was asked
  corrupt,          ///< what the disk gave back is not what was written
  in_use,           ///< a port or directory belongs to somebody else
  shutting_down,    ///< this node is stopping: never ordered
  disk_full,        ///< too few members have room for it on their disks: never ordered
  state_differs,    ///< this node's state is not a majority's, so it serves nobody: never ordered by it
};

[[nodiscard]] std::string_view to_string(errc code);

/// What went wrong: a code, and one sentence for a person.
struct [[nodiscard]] failure {
  errc code = errc::ok;
  std::string message;
};

/// Nothing when all went well.
using status = std::optional<failure>;

}  // namespace quorate
