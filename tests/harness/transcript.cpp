#include "tests/harness/transcript.hpp"

#include <bit>
#include <cstring>

namespace quorate::testing {

void digest::mix(std::string_view bytes) {
  mix(static_cast<std::uint64_t>(bytes.size()));
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const auto n = bytes.size() < sizeof word ? bytes.size() : sizeof word;
    std::memcpy(&word, bytes.data(), n);
    if constexpr (std::endian::native == std::endian::big)
      word = __builtin_bswap64(word);
    mix(word);
    bytes.remove_prefix(n);
  }
}

void transcript::line(time_point now, std::string_view who, std::string_view what) const {
  if (sink_ == nullptr)
    return;
  std::fprintf(sink_, "%12.6f ms  %-14.*s %.*s\n", static_cast<double>(now.count()) / 1e6,
               static_cast<int>(who.size()), who.data(), static_cast<int>(what.size()), what.data());
}

}  // namespace quorate::testing
