#include "runtime/transport_frame.hpp"

#include <doctest/doctest.h>

namespace {

using namespace quorate;

std::string bytes(std::uint8_t operation, std::uint32_t payload) {
  std::string out(frame_head_bytes, '\0');
  out[0] = static_cast<char>(operation);
  for (std::size_t i = 0; i < 4; ++i)
    out[4 + i] = static_cast<char>(payload >> (24 - 8 * i));
  return out;
}

TEST_CASE("a frame's head is read as CAF writes it") {
  auto raw = bytes(2, 0x01020304);
  raw[3] = 1;
  raw[15] = 5;
  raw[23] = 6;
  raw[31] = 7;
  const auto head = read_frame_head(raw);
  CHECK(head.operation == 2);
  CHECK(head.flags == 1);
  CHECK(head.payload_bytes == 0x01020304);
  CHECK(head.data == 5);
  CHECK(head.source == 6);
  CHECK(head.destination == 7);
}

TEST_CASE("only a handshake of modest size may come first") {
  const auto first = [](std::uint8_t operation, std::uint32_t payload, std::uint64_t data, frame_place place) {
    auto head = read_frame_head(bytes(operation, payload));
    head.data = data;
    return fault_of(head, place).value_or("");
  };
  using enum frame_place;
  CHECK(first(1, 40, 0, first_of_dialler) == "");
  CHECK(first(1, handshake_bytes_max, 0, first_of_dialler) == "");
  CHECK(first(0, 200, 3, first_of_listener) == "");
  CHECK(first(1, handshake_bytes_max + 1, 0, first_of_dialler).find("announces") != std::string::npos);
  CHECK(first(1, 0xffff'ffff, 0, first_of_dialler).find("4294967295") != std::string::npos);
  for (const auto& wrong : {first(1, 0, 0, first_of_dialler), first(1, 40, 9, first_of_dialler),
                            first(0, 40, 3, first_of_dialler), first(1, 40, 0, first_of_listener),
                            first(0, 0, 3, first_of_listener), first(0, 40, 0, first_of_listener)})
    CHECK(wrong == "what it says first is not a node's handshake");
  for (std::uint8_t operation = 2; operation != 0; ++operation)
    CHECK(first(operation, 40, 0, first_of_dialler) != "");
}

TEST_CASE("later frames have an operation that nodes use, a payload where it needs one, and a largest size") {
  for (unsigned operation = 0; operation < 256; ++operation)
    for (const std::uint32_t payload : {0U, 1U, frame_bytes_max, frame_bytes_max + 1, 0xffff'ffffU}) {
      CAPTURE(operation);
      CAPTURE(payload);
      const auto message = operation >= 2 && operation <= 5 && payload > 0 && payload <= frame_bytes_max;
      const auto heartbeat = operation == 6 && payload == 0;
      const auto head = read_frame_head(bytes(static_cast<std::uint8_t>(operation), payload));
      CHECK(fault_of(head, frame_place::later).has_value() == !(message || heartbeat));
    }
}

}  // namespace
