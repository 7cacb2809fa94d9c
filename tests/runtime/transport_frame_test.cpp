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

TEST_CASE("later frames have a head as nodes write it, and a largest size") {
  const auto later = [](frame_head head) { return fault_of(head, frame_place::later); };
  const frame_head good[] = {
      {.operation = direct_message, .payload_bytes = frame_bytes_max, .data = 7, .source = 3, .destination = 4},
      {.operation = direct_message, .flags = named_receiver_flag, .payload_bytes = 1, .destination = 2},
      {.operation = monitor_message, .payload_bytes = notice_bytes_max, .destination = 4},
      {.operation = down_message, .payload_bytes = 50, .source = 3},
      {.operation = heartbeat},
  };
  for (const auto& head : good) {
    CAPTURE(head.operation);
    CHECK_FALSE(later(head));
    auto longer = head;
    longer.payload_bytes = head.operation == direct_message ? frame_bytes_max + 1 : notice_bytes_max + 1;
    CHECK(later(longer));
    auto empty = head;
    empty.payload_bytes = 0;
    CHECK(later(empty).has_value() == (head.operation != heartbeat));
    for (int bit = head.operation == direct_message ? 1 : 0; bit < 8; ++bit) {
      auto flagged = head;
      flagged.flags = static_cast<std::uint8_t>(1 << bit);
      CHECK(later(flagged));
    }
    auto nowhere = head;
    nowhere.source = head.source == 0 ? 1 : 0;
    nowhere.destination = head.destination == 0 ? 1 : 0;
    CHECK(later(nowhere));
  }
  for (unsigned operation = 0; operation < 256; ++operation)
    for (const std::uint32_t payload : {0U, 1U, 100U})
      if (operation < direct_message || operation > heartbeat || operation == routed_message) {
        CAPTURE(operation);
        CHECK(later({.operation = static_cast<std::uint8_t>(operation), .payload_bytes = payload, .source = 1,
                     .destination = 1}));
      }
}

}  // namespace
