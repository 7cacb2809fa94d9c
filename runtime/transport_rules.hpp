// What may stand in a frame between nodes: everything else is refused before CAF sees it.
#pragma once

#include "runtime/transport_frame.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate {

/// Who speaks on a connection, as far as this process has accepted it.
enum class peer_standing : std::uint8_t {
  stranger,  ///< has shaken hands with CAF, and may introduce itself to the peer handshake actor
  client,    ///< has said hello as an external client
  member,    ///< has said hello as a node of this cluster
};
inline constexpr std::size_t peer_standings = 3;

/// What a process takes from the network.
enum class transport_side : std::uint8_t {
  node,    ///< introductions, clients' commands, and what roles say to each other
  client,  ///< only what a node says to its clients
};

/// The two ends of a connection. Invariant: a connection speaks only for the node id with which it began.
struct frame_parties {
  transport_side side = transport_side::node;
  std::string self;             ///< this process's node id, as CAF writes it
  std::string peer;             ///< the other one's, from its handshake
  std::uint64_t handshake = 0;  ///< the number of our peer handshake actor; 0: none
};

/// CAF's node id as it stands on the wire: one byte of kind, the process, the host.
inline constexpr std::size_t node_id_bytes = 1 + 4 + 20;
[[nodiscard]] std::string wire_text(const caf::node_id& id);
/// The node id that a handshake begins with; nothing where none can be read.
[[nodiscard]] std::optional<std::string> handshake_node(std::string_view payload, frame_place place);

struct frame_verdict {
  enum class fate : std::uint8_t {
    pass,     ///< to CAF
    swallow,  ///< read and thrown away: harmless, and nobody here wants it
    refuse,   ///< the connection ends
  };
  fate what = fate::pass;
  std::string why;  ///< where refused: the end of a sentence about the sender
};

/// As much of a payload as `judge` wants to see; less only where the payload is shorter. What a stranger may
/// send is not longer than this.
inline constexpr std::uint32_t frame_prefix_bytes = 16 * 1024;

/// How soon a frame that is to be sent must get through.
[[nodiscard]] urgency urgency_of(std::string_view frame);

/// Judges a frame behind the handshake by its head and the beginning of its payload. Allocates nothing that
/// grows with a number in these bytes.
///
/// CAF's own operations on others' actors stay outside: an `exit_msg`, a `down_msg`, links, requests, streams,
/// names of its own servers, and messages that were or are to be forwarded. Of CAF's types none may come.
[[nodiscard]] frame_verdict judge(const frame_head& head, std::string_view prefix, const frame_parties& parties,
                                  peer_standing standing);

}  // namespace quorate
