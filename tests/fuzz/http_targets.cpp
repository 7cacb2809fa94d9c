// What clients send.

#include "runtime/append_body.hpp"
#include "runtime/http_parser.hpp"
#include "runtime/http_query.hpp"
#include "runtime/json_text.hpp"
#include "tests/fuzz/target.hpp"

#include <array>
#include <vector>

namespace quorate::fuzz {

namespace {

constexpr std::size_t header_bytes_max = 1024;

/// Everything that is read from `bytes` when it comes in pieces of this size, as text.
std::string read_in_pieces(std::string_view bytes, std::size_t piece) {
  http_parser parser{header_bytes_max};
  std::string out;
  std::string held;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto more = bytes.substr(at, piece);
    at += more.size();
    held += more;
    std::string_view left{held};
    for (;;) {
      const auto before = left.size();
      const auto progress = parser.feed(left);
      expect(left.size() <= before, "the parser takes no more than there is");
      if (progress == http_parser::progress::failed) {
        const auto& answer = parser.failure();
        expect(answer.status >= 400 && answer.status < 600, "a failure is an error");
        return out + "failed " + std::to_string(answer.status) + answer.body;
      }
      if (progress == http_parser::progress::need_more)
        break;
      out += std::string{parser.method()} + "|" + std::string{parser.target()} + "|" +
             std::string{parser.body()} + (parser.keep_alive() ? "|keep\n" : "|close\n");
      static_cast<void>(parse_call(parser.method(), parser.target(), parser.body()));
      parser.next();
      if (left.empty())
        break;
    }
    expect(left.size() <= header_bytes_max, "what is left is no more than a header");
    held.erase(0, held.size() - left.size());
  }
  return out;
}

}  // namespace

void http_parser_bytes(std::string_view bytes) {
  const auto whole = read_in_pieces(bytes, bytes.size() + 1);
  const auto pieces = read_in_pieces(bytes, bytes.empty() ? 1 : 1 + static_cast<std::uint8_t>(bytes[0]) % 64);
  // The requests are the same; a failure may be found a little earlier in the whole.
  const auto of = [](const std::string& text) { return text.substr(0, text.rfind('\n') + 1); };
  expect(of(whole) == of(pieces) || whole.find("failed") != whole.npos, "pieces make no difference");
}

void append_body_bytes(std::string_view bytes) {
  const auto read = read_append_body(bytes);
  if (const auto* fault = std::get_if<append_fault>(&read)) {
    expect(!fault->code.empty() && !fault->message.empty(), "a fault has a name and a sentence");
    expect(is_utf8(fault->message), "a fault is UTF-8");
    return;
  }
  const auto& body = std::get<append_body>(read);
  expect(body.value.data() >= bytes.data() &&
             body.value.data() + body.value.size() <= bytes.data() + bytes.size(),
         "the value lies in the body");
  std::string again = "{\"value\":" + std::string{body.value} + ",\"key\":";
  append_json_string(again, body.key);
  again += "}";
  const auto second = read_append_body(again);
  const auto* same = std::get_if<append_body>(&second);
  expect(same && same->key == body.key && same->value == body.value,
         "what was read can be written and read again");
}

void json_text_bytes(std::string_view bytes) {
  std::string text;
  append_json_string(text, bytes);
  expect(is_utf8(text) && text.size() >= 2 && text.front() == '"' && text.back() == '"', "a JSON string");
  for (const auto c : text)
    expect(static_cast<unsigned char>(c) >= 0x20, "no control characters");
  const auto read = read_append_body("{\"key\":" + text + ",\"value\":" + text + "}");
  const auto* body = std::get_if<append_body>(&read);
  expect(body != nullptr && (!is_utf8(bytes) || body->key == bytes), "a reader takes it for the same text");
  const auto quoted = in_quotes(bytes);
  expect(!is_utf8(bytes) || is_utf8(quoted), "a message stays UTF-8");
  expect(quoted.size() < 200, "a message stays short");
}

void http_query_bytes(std::string_view bytes) {
  static constexpr std::array<std::string_view, 4> known{"from", "limit", "key", "consistency"};
  const auto parsed = http_query::parse(bytes, known);
  if (const auto* why = std::get_if<std::string>(&parsed)) {
    expect(!why->empty(), "a refusal is a sentence");
  } else {
    const auto& query = std::get<http_query>(parsed);
    std::uint64_t value = 5;
    const auto wrong = query.read("limit", 1, 1000, value);
    expect(wrong.has_value() || (value >= 1 && value <= 1000), "a number is in its range");
  }
  static_cast<void>(parse_call("GET", "/log?" + std::string{bytes}, ""));
  static_cast<void>(parse_call("POST", "/append_log?" + std::string{bytes}, R"({"key":"k","value":1})"));
}

}  // namespace quorate::fuzz
