// Spreads keys and node ids over 64 bits.
#pragma once

#include "actors/hash.hpp"

namespace quorate::balancers {

/// The finalizer of splitmix64: one changed bit changes half of the others.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

[[nodiscard]] inline std::uint64_t place_of(std::string_view key) {
  return mix(hash_bytes(0, key));
}

}  // namespace quorate::balancers
