// Reads the body of POST /append_log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace quorate {

namespace limits {

inline constexpr std::size_t json_depth_max = 64;  ///< arrays and objects within one another in a value

}  // namespace limits

/// What a client wants to have appended.
struct append_body {
  std::string key;
  std::string_view value;  ///< the value's bytes as they were sent, pointing into the body
};

/// Why a body was refused: the "error" of the answer, and one sentence.
struct append_fault {
  std::string_view code;
  std::string message;
};

/// Reads {"key": "k", "value": <any JSON>}, or {"log_entry": {the same}}. Everything but well-formed JSON in
/// UTF-8 with exactly these fields is refused. The key's and the value's size are not looked at.
[[nodiscard]] std::variant<append_body, append_fault> read_append_body(std::string_view body);

}  // namespace quorate
