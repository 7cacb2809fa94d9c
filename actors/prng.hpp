// Seeded randomness, the same on every machine.
#pragma once

#include <bit>
#include <cstdint>

namespace quorate {

/// A small generator whose sequence depends on the seed alone.
/// Source: D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators" (2021), xoshiro256**,
/// seeded by splitmix64.
class prng {
public:
  explicit prng(std::uint64_t seed = 1) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      auto z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }

  [[nodiscard]] std::uint64_t next() {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound); 0 where bound is 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  /// Uniform in [low, high].
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }

  /// True in `percent` of 100 cases (fractions allowed).
  [[nodiscard]] bool chance(double percent) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 * 100.0 < percent;
  }

private:
  std::uint64_t state_[4]{};
};

}  // namespace quorate
