// The names by which those who open sessions know their answers.
#pragma once

#include "actors/ids.hpp"

namespace quorate {

/// Of an edge; no other edge, boot or attempt has it. \pre node < 2^15
[[nodiscard]] inline std::uint64_t edge_nonce(node_id node, boot_id boot, std::uint64_t attempt) {
  return (std::uint64_t{node.value} << 48) | (boot.value << 16) | (attempt & 0xffff);
}

inline constexpr std::uint64_t client_nonce_bit = std::uint64_t{1} << 63;

/// Of a client that is no node, from random bits: never that of an edge.
[[nodiscard]] inline std::uint64_t client_nonce(std::uint64_t random) {
  return random | client_nonce_bit;
}
[[nodiscard]] inline bool is_client_nonce(std::uint64_t nonce) {
  return (nonce & client_nonce_bit) != 0;
}

}  // namespace quorate
