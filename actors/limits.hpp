// Limits that more than one folder must agree on. Each is reached with a clear error, never by growing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quorate::limits {

inline constexpr std::size_t command_bytes_max = 512 * 1024;  ///< key and body of one command
inline constexpr std::size_t key_bytes_max = 4 * 1024;        ///< routing key of one command
inline constexpr std::size_t batch_commands_max = 8192;       ///< commands in one batch
inline constexpr std::size_t batch_bytes_max = 1024 * 1024;   ///< a batch is closed when it reaches this
inline constexpr std::size_t chunk_bytes_max = 1024 * 1024;   ///< one chunk of sync
inline constexpr std::uint64_t session_window = 65'536;       ///< sequences of a session that are remembered
inline constexpr std::size_t sessions_max = 4'096;  ///< open sessions; the longest unused goes first
inline constexpr std::size_t members_max = 9;       ///< members of one group
inline constexpr std::size_t outcome_bytes_max =
    64 * 1024;  ///< what a state machine may answer to one command
/// Memory that must be there before a read is executed: the largest page of the log, with room for its writer to grow.
inline constexpr std::size_t answer_bytes_expected = 2 * 1024 * 1024;

}  // namespace quorate::limits
