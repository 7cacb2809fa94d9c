// JSON strings, written by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate {

/// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends `value` in decimal.
void append_number(std::string& out, std::uint64_t value);

/// A client's text as it may stand in a message: in quotes, at most 64 bytes of it, cut between characters.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace quorate
