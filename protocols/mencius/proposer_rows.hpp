// What the proposer saves: ceilings.
#pragma once

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"

#include <string>
#include <string_view>

namespace quorate::mencius::rows {

inline constexpr std::string_view rounds_key = "r";
inline constexpr std::string_view ceiling_key = "c";

[[nodiscard]] inline std::uint64_t ceiling(const std::string& row) {
  byte_reader in{row};
  const auto result = in.little<std::uint64_t>();
  ENSURE(in.ok() && in.at_end(), "mencius proposer: a saved ceiling cannot be read");
  return result;
}

[[nodiscard]] inline std::string ceiling_bytes(std::uint64_t n) {
  std::string row;
  put_little(row, n);
  return row;
}

}  // namespace quorate::mencius::rows
