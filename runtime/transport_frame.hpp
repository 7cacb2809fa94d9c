// The heads of frames between nodes, looked at before CAF believes them.
#pragma once

#include "actors/link_account.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate {

/// CAF's operations, by their numbers on the wire.
enum operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
  // Ours, which CAF never sees.
  piece = 0x40,  ///< of a long frame; `data` says how urgent it is, `flags` whether it is the last one
  taken = 0x41,  ///< the sender has all of the first `data` bytes of our pieces
};
inline constexpr std::uint8_t last_piece_flag = 1;
inline constexpr std::uint8_t more_pieces_flag = 2;  ///< those of another frame wait already

/// A longer message goes in pieces, behind all that is shorter.
inline constexpr std::size_t whole_bytes_max = link_account::short_bytes_max;
/// Of a long message at once: what a short one waits behind is a few of these at most.
inline constexpr std::size_t piece_bytes_max = 32 * 1024;

/// How soon a frame must get through. The last two are sent in pieces.
enum class urgency : std::uint8_t {
  now,         ///< short: heartbeats, votes, acknowledgements
  bulk,        ///< long: batches
  background,  ///< long: what others catch up from
};
inline constexpr std::size_t urgencies = 3;

/// The receiver is one of CAF's own servers, by name.
inline constexpr std::uint8_t named_receiver_flag = 1;

/// What stands in front of each frame of CAF's protocol (BASP); big-endian on the wire.
struct frame_head {
  std::uint8_t operation = 0;
  std::uint8_t flags = 0;
  std::uint32_t payload_bytes = 0;
  std::uint64_t data = 0;
  std::uint64_t source = 0;
  std::uint64_t destination = 0;
};

inline constexpr std::size_t frame_head_bytes = 32;
/// The first payload of a connection: who it is, and what its published actor understands.
inline constexpr std::uint32_t handshake_bytes_max = 16 * 1024;
/// That an actor is watched, or has ended.
inline constexpr std::uint32_t notice_bytes_max = 4 * 1024;
/// One submission may carry all that a node takes from its clients at once: 64 MiB of bodies, and their keys.
inline constexpr std::uint32_t frame_bytes_max = 128 * 1024 * 1024;

enum class frame_place : std::uint8_t {
  first_of_dialler,   ///< what a node that dials says first
  first_of_listener,  ///< what a node that was dialled says first
  later,
};

/// \pre `bytes` has frame_head_bytes bytes.
[[nodiscard]] frame_head read_frame_head(std::string_view bytes);

/// As it stands on the wire.
[[nodiscard]] std::string head_text(const frame_head& head);

/// Why this frame must not reach CAF, as the end of a sentence about its sender; nothing where it may. CAF
/// itself allocates whatever a head says, reads the payload of a handshake that has none, and takes a second
/// handshake on the same connection.
[[nodiscard]] std::optional<std::string> fault_of(const frame_head& head, frame_place place);

}  // namespace quorate
