// The checksum of our own files and of RocksDB's write-ahead log.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace quorate {

namespace detail {

#if defined(__x86_64__)
/// With the processor's own instruction: twenty times as fast.
[[nodiscard]] __attribute__((target("sse4.2"))) inline std::uint32_t crc32c_fast(std::string_view bytes,
                                                                                 std::uint32_t before) {
  std::uint64_t crc = ~before;
  const auto* at = bytes.data();
  auto left = bytes.size();
  for (; left >= sizeof(std::uint64_t); left -= sizeof(std::uint64_t), at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at)
    rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*at));
  return ~rest;
}
#endif

[[nodiscard]] inline std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before) {
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

}  // namespace detail

/// CRC-32C (Castagnoli) of `bytes`; `before` is the checksum of what comes before them.
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    return detail::crc32c_fast(bytes, before);
#endif
  return detail::crc32c_portable(bytes, before);
}

}  // namespace quorate
