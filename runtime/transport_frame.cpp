#include "runtime/transport_frame.hpp"

#include "actors/bytes.hpp"

namespace quorate {

namespace {

std::string too_long(std::uint32_t bytes, std::uint32_t most) {
  return "it announces a frame of " + std::to_string(bytes) + " bytes, and at most " + std::to_string(most) +
         " are taken";
}

/// How long a frame behind the handshake may be; nothing where no node sends one with such a head. Messages
/// over others are not among them: each node has a connection to each other one.
std::optional<std::uint32_t> most_bytes_of(const frame_head& head) {
  const auto notice = head.payload_bytes > 0 && head.flags == 0 && head.data == 0;
  switch (head.operation) {
  case direct_message:
    if (head.payload_bytes > 0 && head.destination != 0 && head.flags <= named_receiver_flag)
      return frame_bytes_max;
    return std::nullopt;
  case monitor_message:
    return notice && head.source == 0 && head.destination != 0 ? std::optional{notice_bytes_max} : std::nullopt;
  case down_message:
    return notice && head.source != 0 && head.destination == 0 ? std::optional{notice_bytes_max} : std::nullopt;
  case heartbeat:
    if (head.payload_bytes == 0 && head.flags == 0 && head.data == 0 && head.source == 0 &&
        head.destination == 0)
      return 0;
    return std::nullopt;
  case piece:
    if (head.payload_bytes > 0 && head.flags <= (last_piece_flag | more_pieces_flag) && head.source == 0 &&
        head.destination == 0 &&
        (head.data == static_cast<std::uint64_t>(urgency::bulk) ||
         head.data == static_cast<std::uint64_t>(urgency::background)))
      return piece_bytes_max;
    return std::nullopt;
  case taken:
    if (head.payload_bytes == 0 && head.flags == 0 && head.source == 0 && head.destination == 0)
      return 0;
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

}  // namespace

frame_head read_frame_head(std::string_view bytes) {
  byte_reader in{bytes};
  frame_head head;
  head.operation = in.big<std::uint8_t>();
  static_cast<void>(in.big<std::uint16_t>());  // padding
  head.flags = in.big<std::uint8_t>();
  head.payload_bytes = in.big<std::uint32_t>();
  head.data = in.big<std::uint64_t>();
  head.source = in.big<std::uint64_t>();
  head.destination = in.big<std::uint64_t>();
  return head;
}

std::string head_text(const frame_head& head) {
  std::string out;
  put_big(out, head.operation);
  put_big(out, std::uint16_t{0});
  put_big(out, head.flags);
  put_big(out, head.payload_bytes);
  put_big(out, head.data);
  put_big(out, head.source);
  put_big(out, head.destination);
  return out;
}

std::optional<std::string> fault_of(const frame_head& head, frame_place place) {
  if (place != frame_place::later) {
    const auto wanted = place == frame_place::first_of_dialler ? client_handshake : server_handshake;
    // The version stands where other frames have their message's number.
    if (head.operation != wanted || head.flags != 0 || head.source != 0 || head.destination != 0 ||
        (head.data == 0) != (wanted == client_handshake) || head.payload_bytes == 0)
      return "what it says first is not a node's handshake";
    if (head.payload_bytes > handshake_bytes_max)
      return too_long(head.payload_bytes, handshake_bytes_max);
    return std::nullopt;
  }
  const auto most = most_bytes_of(head);
  if (!most)
    return "it sends a frame that no node sends";
  if (head.payload_bytes > *most)
    return too_long(head.payload_bytes, *most);
  return std::nullopt;
}

}  // namespace quorate
