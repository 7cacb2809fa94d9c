#include "runtime/json_text.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace quorate {

namespace {

constexpr std::size_t shown_bytes_max = 64;

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// Bytes of the character that begins at `at`; 0 where none that is well-formed does.
/// Source: The Unicode Standard 15.0, table 3-7.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto first = byte_at(text, at);
  if (first < 0x80)
    return 1;
  std::size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    low = first == 0xe0 ? 0xa0 : 0x80;
    high = first == 0xed ? 0x9f : 0xbf;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    low = first == 0xf0 ? 0x90 : 0x80;
    high = first == 0xf4 ? 0x8f : 0xbf;
  } else {
    return 0;
  }
  if (text.size() - at < length || byte_at(text, at + 1) < low || byte_at(text, at + 1) > high)
    return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte_at(text, at + i) & 0xc0) != 0x80)
      return 0;
  return length;
}

void append_escaped(std::string& out, char c) {
  static constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    out += "\\u00";
    out += digits[static_cast<std::uint8_t>(c) >> 4];
    out += digits[static_cast<std::uint8_t>(c) & 15];
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = character_bytes(text, at);
    if (length == 0)
      return false;
    at += length;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // what is before it has been appended
  std::size_t at = 0;
  const auto flush = [&] { out.append(text, plain, at - plain); };
  while (at < text.size()) {
    const auto c = byte_at(text, at);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      ++at;
      continue;
    }
    const auto length = character_bytes(text, at);
    if (length > 1) {
      at += length;
      continue;
    }
    flush();
    if (length == 0)
      out += "\xef\xbf\xbd";
    else
      append_escaped(out, text[at]);
    plain = ++at;
  }
  flush();
  out += '"';
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= shown_bytes_max)
    return "\"" + std::string{text} + "\"";
  auto cut = shown_bytes_max;
  while (cut > 0 && (byte_at(text, cut) & 0xc0) == 0x80)
    --cut;
  return "\"" + std::string{text.substr(0, cut)} + "...\"";
}

}  // namespace quorate
