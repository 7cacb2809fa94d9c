// A fast hash of bytes, the same on every machine: for checksums of chunks and for comparing replicas.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace quorate {

/// Mixes `bytes` into `seed`. Not for adversaries.
[[nodiscard]] inline std::uint64_t hash_bytes(std::uint64_t seed, std::string_view bytes) {
  constexpr std::uint64_t k = 0x9e3779b97f4a7c15ULL;
  auto mix = [](std::uint64_t h, std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(h ^ word) * k;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  // The length is part of it, so that ("ab", "c") and ("a", "bc") differ.
  auto h = mix(seed + k, bytes.size());
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    h = mix(h + k, word);
    bytes.remove_prefix(8);
  }
  if (!bytes.empty()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    h = mix(h + k, word);
  }
  return h;
}

}  // namespace quorate
