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
/// All frames that a process is receiving, over all connections; of these for strangers, and for external
/// clients. The rest is for members, whatever the others do.
inline constexpr std::size_t receive_bytes_max = 512 * 1024 * 1024;
inline constexpr std::size_t receive_strangers_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t receive_clients_bytes_max = 128 * 1024 * 1024;
inline constexpr std::size_t outcome_bytes_max =
    64 * 1024;  ///< what a state machine may answer to one command

}  // namespace quorate::limits
