#include "runtime/append_body.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "tests/runtime/parsed_call.hpp"

using namespace quorate;
using namespace std::chrono_literals;

namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string random_space(prng& random) {
  static constexpr std::string_view spaces = " \t\r\n";
  std::string out;
  while (random.chance(20))
    out += spaces[random.below(spaces.size())];
  return out;
}

std::string random_string(prng& random) {
  static const std::vector<std::string> parts{"a",       "\\\"",     "\\\\",
                                              "\\/",     "\\u0041",  "\\ud83d\\ude00",
                                              "\\u0000", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                              "{",       "}",        "[",
                                              "]",       ",",        ":",
                                              "\\n",     " ",        "\x7f"};
  std::string out = "\"";
  for (auto n = random.below(8); n > 0; --n)
    out += parts[random.below(parts.size())];
  return out + "\"";
}

/// A JSON text that keeps its writer's taste in spaces, escapes and numbers.
std::string random_json(prng& random, int depth) {
  static const std::vector<std::string> scalars{"null",
                                                "true",
                                                "false",
                                                "0",
                                                "-0",
                                                "1.0",
                                                "1e5",
                                                "1E+05",
                                                "-0.0e-0",
                                                "12345678901234567890123",
                                                "0.1000000000000000055511151231257827",
                                                "\"\""};
  const auto kind = random.below(depth == 0 ? 2 : 4);
  if (kind == 0)
    return scalars[random.below(scalars.size())];
  if (kind == 1)
    return random_string(random);
  std::string out = kind == 2 ? "[" : "{";
  out += random_space(random);
  const auto members = random.below(4);
  for (std::uint64_t i = 0; i < members; ++i) {
    if (i > 0)
      out += "," + random_space(random);
    // Names of the envelope deep inside, and twice, mean nothing.
    if (kind == 3)
      out += (random.chance(40) ? "\"value\"" : random_string(random)) + random_space(random) + ":" +
             random_space(random);
    out += random_json(random, depth - 1) + random_space(random);
  }
  return out + (kind == 2 ? "]" : "}");
}

}  // namespace

TEST_CASE("an append carries the key and the value as they were sent") {
  const auto call = accepted("POST", "/append_log", R"( {"key":"k1", "value" : {"a": [1.0, 1e5]} } )");
  CHECK(call.page == http_page::append_log);
  CHECK(call.request.kind == request_kind::write);
  CHECK(call.request.key == "k1");
  CHECK(call.request.body.view() == R"({"a": [1.0, 1e5]})");
  CHECK(call.request.timeout == 5000ms);
}

TEST_CASE("an append may be wrapped, reordered and escaped") {
  const std::vector<std::string> bodies{
      R"({"log_entry":{"key":"k","value":1.0}})",       R"({"value":1.0,"key":"k"})",
      R"({"log_entry": {"value" :1.0, "key":"k"} })",   R"({"v\u0061lue":1.0,"\u006bey":"\u006b"})",
      "\r\n\t {\"key\":\"k\"\n,\"value\":\t1.0\r\n}\n",
  };
  for (const auto& body : bodies) {
    CAPTURE(body);
    const auto call = accepted("POST", "/append_log?timeout_ms=60000", body);
    CHECK(call.request.key == "k");
    CHECK(call.request.body.view() == "1.0");
    CHECK(call.request.timeout == 60s);
  }
  CHECK(accepted("POST", "/append_log", R"({"key":"","value":null})").request.key.empty());
  CHECK(accepted("POST", "/append_log", R"({"key":"\u0000\ud83d\ude00","value":""})").request.key ==
        std::string("\0\xf0\x9f\x98\x80", 5));
}

TEST_CASE("a value is kept byte for byte, whatever it is") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    prng random{seed};
    const auto value = random_json(random, 5);
    const auto key = random_string(random);
    CAPTURE(seed);
    CAPTURE(value);
    REQUIRE(nlohmann::json::accept(value));
    const auto space = [&] { return random_space(random); };
    const auto first = "\"key\"" + space() + ":" + space() + key;
    const auto second = "\"value\"" + space() + ":" + space() + value;
    auto body = "{" + space() +
                (random.chance(50) ? first + space() + "," + space() + second
                                   : second + space() + "," + space() + first) +
                space() + "}";
    if (random.chance(50))
      body = "{" + space() + "\"log_entry\"" + space() + ":" + space() + body + space() + "}";
    const auto call = accepted("POST", "/append_log", space() + body + space());
    CHECK(call.request.body.view() == value);
    CHECK(call.request.key == nlohmann::json::parse(key).get<std::string>());
  }
}

TEST_CASE("every truncation of a valid body is refused as malformed") {
  const std::vector<std::string> bodies{
      R"({"key":"k\u00e9","value":{"a":[1.5e3,true,null,"\"x\\"],"b":{}}})",
      R"({"log_entry":{"value":[[]],"key":""}})",
      "{\"key\":\"\xf0\x9f\x98\x80\",\"value\":\"\xc3\xa9\"}",
  };
  for (const auto& body : bodies) {
    accepted("POST", "/append_log", body);
    for (std::size_t n = 0; n < body.size(); ++n)
      check_error(refusal("POST", "/append_log", std::string_view{body}.substr(0, n)),
                  {body.substr(0, n), 400, "malformed_json", "The body is"});
  }
}

TEST_CASE("a changed byte never makes an append that is not JSON") {
  const std::string body = R"({"key":"kk","value":{"a":[1.5e3,true,null,"\"x\\"],"b":{}}})";
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    prng random{seed};
    auto changed = body;
    for (auto n = random.between(1, 3); n > 0; --n)
      changed[random.below(changed.size())] = static_cast<char>(random.below(256));
    CAPTURE(seed);
    CAPTURE(changed);
    const auto result = parse_call("POST", "/append_log", changed);
    if (const auto* call = std::get_if<http_call>(&result)) {
      const auto document = nlohmann::json::parse(changed);
      CHECK(nlohmann::json::parse(call->request.body.view()) == document.at("value"));
      CHECK(call->request.key == document.at("key").get<std::string>());
    } else {
      const auto& answer = std::get<http_answer>(result);
      CHECK(answer.status == 400);
      CHECK(nlohmann::json::accept(answer.body));
    }
  }
}

TEST_CASE("bad bodies are refused with a message that names what is wrong") {
  const auto long_name = std::string(500, 'x');
  const std::vector<bad_request> table{
      {"", 400, "malformed_json", "is empty"},
      {" \n", 400, "malformed_json", "is empty"},
      {"x", 400, "malformed_json", "byte 1"},
      {R"({"key":"k","value":1} x)", 400, "malformed_json", "byte 23"},
      {R"({"key":"k","value":1,})", 400, "malformed_json", "not valid JSON"},
      {R"({"key":"k","value":01})", 400, "malformed_json", "not valid JSON"},
      {R"({"key":"k","value":NaN})", 400, "malformed_json", "not valid JSON"},
      {R"({'key':"k","value":1})", 400, "malformed_json", "not valid JSON"},
      {R"({"key":"k","value":1}/* */)", 400, "malformed_json", "not valid JSON"},
      {R"({"key":"k","value":1e999})", 400, "malformed_json", "number that is too large"},
      {R"({"key":"k","value":"\ud800"})", 400, "malformed_json", "not valid JSON"},
      {"{\"key\":\"k\",\"value\":1}" + std::string("\0", 1), 400, "malformed_json", "byte 22"},
      {"{\"key\":\"k\",\"value\":1}" + std::string("\0{", 2), 400, "malformed_json", "byte 22"},
      {"{\"key\":\"k\",\"value\":\"\n\"}", 400, "malformed_json", "not valid JSON"},
      {"\xef\xbb\xbf{\"key\":\"k\",\"value\":1}", 400, "malformed_json", "byte order mark"},
      {"{\"key\":\"k\",\"value\":\"\xff\"}", 400, "malformed_json", "not valid UTF-8"},
      {"{\"key\":\"\xc0\x80\",\"value\":1}", 400, "malformed_json", "not valid UTF-8"},
      {"{\"key\":\"k\",\"value\":\"\xed\xa0\x80\"}", 400, "malformed_json", "not valid UTF-8"},
      {"[]", 400, "wrong_field", "must be a JSON object"},
      {"1", 400, "wrong_field", "must be a JSON object"},
      {"\"key\"", 400, "wrong_field", "must be a JSON object"},
      {"null", 400, "wrong_field", "must be a JSON object"},
      {"{}", 400, "missing_field", "\"key\" is missing"},
      {R"({"key":"k"})", 400, "missing_field", "\"value\" is missing"},
      {R"({"value":1})", 400, "missing_field", "\"key\" is missing"},
      {R"({"log_entry":{}})", 400, "missing_field", "\"log_entry.key\" is missing"},
      {R"({"log_entry":{"key":"k"}})", 400, "missing_field", "\"log_entry.value\" is missing"},
      {R"({"key":1,"value":1})", 400, "wrong_field", "\"key\" must be a string"},
      {R"({"key":null,"value":1})", 400, "wrong_field", "\"key\" must be a string"},
      {R"({"key":["k"],"value":1})", 400, "wrong_field", "\"key\" must be a string"},
      {R"({"key":{"key":"k","value":1},"value":1})", 400, "wrong_field", "\"key\" must be a string"},
      {R"({"log_entry":1})", 400, "wrong_field", "\"log_entry\" must be an object"},
      {R"({"log_entry":[{"key":"k","value":1}]})", 400, "wrong_field", "\"log_entry\" must be an object"},
      {R"({"key":"k","value":1,"key":"l"})", 400, "duplicate_field", "\"key\" is there twice"},
      {R"({"key":"k","value":1,"value":1})", 400, "duplicate_field", "\"value\" is there twice"},
      {R"({"log_entry":{"key":"k","value":1},"log_entry":{"key":"k","value":1}})", 400, "duplicate_field",
       "\"log_entry\" is there twice"},
      {R"({"key":"k","value":1,"vale":1})", 400, "unknown_field", "\"vale\" is unknown"},
      {R"({"Key":"k","value":1})", 400, "unknown_field", "\"Key\" is unknown"},
      {R"({"log_entry":{"key":"k","value":1,"log_entry":1}})", 400, "unknown_field",
       "\"log_entry\" is unknown"},
      {R"({"key":"k","log_entry":{"key":"k","value":1}})", 400, "unknown_field", "must be the only one"},
      {R"({"log_entry":{"key":"k","value":1},"value":2})", 400, "unknown_field", "must be the only one"},
      {"{\"" + long_name + "\":1}", 400, "unknown_field",
       "\"" + long_name.substr(0, 64) + "...\" is unknown"},
      {R"({"key":"k","value":)" + nested(limits::json_depth_max + 1) + "}", 400, "too_deep",
       "json_depth_max (64)"},
      {R"({"log_entry":{"key":"k","value":)" + nested(limits::json_depth_max + 1) + "}}", 400, "too_deep",
       "json_depth_max (64)"},
      {R"({"key":"k","value":)" + std::string(100'000, '['), 400, "too_deep", "json_depth_max (64)"},
      {"{\"key\":\"" + std::string(limits::key_bytes_max + 1, 'k') + "\",\"value\":1}", 413, "too_large",
       "key_bytes_max (4096 bytes)"},
      {"{\"key\":\"k\",\"value\":\"" + std::string(limits::command_bytes_max - 2, 'v') + "\"}", 413,
       "too_large", "command_bytes_max (524288 bytes)"},
  };
  for (const auto& row : table)
    check_error(refusal("POST", "/append_log", row.body_or_target), row);
}

TEST_CASE("a value at each limit is accepted") {
  const auto deep = nested(limits::json_depth_max);
  CHECK(accepted("POST", "/append_log", R"({"key":"k","value":)" + deep + "}").request.body.view() == deep);
  CHECK(accepted("POST", "/append_log", R"({"log_entry":{"key":"k","value":)" + deep + "}}")
            .request.body.view() == deep);
  accepted("POST", "/append_log",
           "{\"key\":\"" + std::string(limits::key_bytes_max, 'k') + "\",\"value\":1}");
  accepted("POST", "/append_log",
           "{\"key\":\"k\",\"value\":\"" + std::string(limits::command_bytes_max - 3, 'v') + "\"}");
}
