// The checksum of our own files and of RocksDB's write-ahead log.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quorate {

/// CRC-32C (Castagnoli) of `bytes`; `before` is the checksum of what comes before them.
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> rows{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      auto value = i;
      for (int bit = 0; bit < 8; ++bit)
        value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
      rows[i] = value;
    }
    return rows;
  }();
  auto crc = ~before;
  for (const auto c : bytes)
    crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
  return ~crc;
}

}  // namespace quorate
