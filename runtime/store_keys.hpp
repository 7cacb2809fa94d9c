// Who owns which keys of a replica's store.
#pragma once

#include "actors/bytes.hpp"
#include "actors/store.hpp"

namespace quorate::store_keys {

inline constexpr std::string_view machine = "m";  ///< everything of the state machine
inline constexpr std::string_view applied = "a";  ///< where the replica stands
inline constexpr std::string_view outcome = "o";  ///< + index: outcomes of the commands of one batch
inline constexpr std::string_view session = "s";  ///< + session id

[[nodiscard]] inline std::string of(std::string_view prefix, std::uint64_t number) {
  std::string key{prefix};
  put_big(key, number);
  return key;
}

/// The end of a one-byte prefix's range.
[[nodiscard]] inline std::string end_of(std::string_view prefix) {
  std::string key{prefix};
  key.back() = static_cast<char>(key.back() + 1);
  return key;
}

}  // namespace quorate::store_keys
