#include "runtime/http_routes.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "runtime/append_body.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/json_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

http_answer refusal(std::string_view method, std::string_view target, std::string_view body = {}) {
  auto result = parse_call(method, target, body);
  REQUIRE_MESSAGE(std::holds_alternative<http_answer>(result), method << " " << target << " " << body);
  return std::get<http_answer>(std::move(result));
}

http_call accepted(std::string_view method, std::string_view target, std::string_view body = {}) {
  auto result = parse_call(method, target, body);
  if (const auto* answer = std::get_if<http_answer>(&result))
    FAIL(method << " " << target << " " << body << ": " << answer->body);
  return std::get<http_call>(std::move(result));
}

struct bad_request {
  std::string body_or_target;
  unsigned status;
  std::string code;
  std::string message;  ///< must be in the answer's message
};

void check_error(const http_answer& answer, const bad_request& wanted) {
  CAPTURE(wanted.body_or_target);
  CAPTURE(answer.body);
  CHECK(answer.status == wanted.status);
  const auto json = nlohmann::json::parse(answer.body);
  CHECK(json.size() == 3);
  CHECK(json.at("status") == "error");
  CHECK(json.at("error") == wanted.code);
  const auto message = json.at("message").get<std::string>();
  CHECK(message.find(wanted.message) != std::string::npos);
  CHECK(message.ends_with('.'));
  CHECK(answer.retry == (wanted.status == 429 || wanted.status == 503));
}

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

TEST_CASE("a read carries a query for the state machine") {
  const auto plain = accepted("GET", "/log");
  CHECK(plain.page == http_page::log);
  CHECK(plain.request.kind == request_kind::read);
  CHECK(plain.request.timeout == 5000ms);
  CHECK(decode_log_query(plain.request.body.view()) == log_query{});

  const auto full = accepted(
      "GET", "/log?from=18446744073709551615&limit=1000&key=a%20b+c%2B%C3%A9&consistency=local&timeout_ms=1");
  CHECK(full.request.kind == request_kind::read_local);
  CHECK(full.request.timeout == 1ms);
  CHECK(full.request.key == "a b c+\xc3\xa9");
  CHECK(decode_log_query(full.request.body.view()) ==
        log_query{~std::uint64_t{0}, 1000, std::string{"a b c+\xc3\xa9"}});

  CHECK(accepted("GET", "/log?consistency=linearizable&").request.kind == request_kind::read);
  CHECK(decode_log_query(accepted("GET", "/log?key=").request.body.view()) == log_query{0, 100, ""});
  CHECK(decode_log_query(accepted("GET", "http://n1:8101/log?fr%6fm=7").request.body.view()) ==
        log_query{7, 100, {}});
  CHECK(accepted("GET", "/healthz?").page == http_page::healthz);
  CHECK(accepted("GET", "/cluster").page == http_page::cluster);
}

TEST_CASE("bad targets are refused with a message that names the parameter") {
  const std::vector<bad_request> table{
      {"/", 404, "not_found", "There is no page \"/\""},
      {"", 404, "not_found", "There is no page \"\""},
      {"*", 404, "not_found", "There is no page \"*\""},
      {"/log/", 404, "not_found", "\"/log/\""},
      {"/logs?from=0", 404, "not_found", "\"/logs\""},
      {"//log", 404, "not_found", "\"//log\""},
      {"/\"\\\x01\xff", 404, "not_found", "There is no page"},
      {"/append_log", 405, "method_not_allowed", "POST"},
      {"/log?from=-1", 400, "bad_parameter",
       "\"from\" must be a whole number from 0 to 18446744073709551615"},
      {"/log?from=18446744073709551616", 400, "bad_parameter", "\"from\""},
      {"/log?from=", 400, "bad_parameter", "\"from\" must be"},
      {"/log?from", 400, "bad_parameter", "\"from\" has no value"},
      {"/log?from=1x", 400, "bad_parameter", "\"from\""},
      {"/log?from=+1", 400, "bad_parameter", "\"from\""},
      {"/log?from=1.0", 400, "bad_parameter", "\"from\""},
      {"/log?from=0&from=0", 400, "bad_parameter", "\"from\" is there twice"},
      {"/log?limit=0", 400, "bad_parameter", "\"limit\" must be a whole number from 1 to 1000"},
      {"/log?limit=1001", 400, "bad_parameter", "\"limit\""},
      {"/log?limit=4294967297", 400, "bad_parameter", "\"limit\""},
      {"/log?key=%", 400, "bad_parameter", "\"key\" has a value that cannot be decoded"},
      {"/log?key=%4", 400, "bad_parameter", "\"key\""},
      {"/log?key=%zz", 400, "bad_parameter", "\"key\""},
      {"/log?key=%ff", 400, "bad_parameter", "\"key\""},
      {"/log?key=" + std::string(limits::key_bytes_max + 1, 'k'), 400, "bad_parameter",
       "key_bytes_max (4096 bytes)"},
      {"/log?consistency=strong", 400, "bad_parameter", "\"consistency\" must be"},
      {"/log?timeout_ms=0", 400, "bad_parameter", "\"timeout_ms\" must be a whole number from 1 to 60000"},
      {"/log?timeout_ms=60001", 400, "bad_parameter", "\"timeout_ms\""},
      {"/log?form=1", 400, "bad_parameter", "\"form\" is unknown"},
      {"/log?From=1", 400, "bad_parameter", "\"From\" is unknown"},
      {"/log?=1", 400, "bad_parameter", "\"\" is unknown"},
      {"/log?%ff=1", 400, "bad_parameter", "\"%ff\" has a name that cannot be decoded"},
      {"/healthz?x=1", 400, "bad_parameter", "\"x\" is unknown"},
      {"/cluster?timeout_ms=5", 400, "bad_parameter", "\"timeout_ms\" is unknown"},
  };
  for (const auto& row : table)
    check_error(refusal("GET", row.body_or_target), row);
  check_error(refusal("POST", "/append_log?timeout_ms=x", R"({"key":"k","value":1})"),
              {"timeout", 400, "bad_parameter", "\"timeout_ms\""});
  check_error(refusal("POST", "/append_log?from=0", R"({"key":"k","value":1})"),
              {"from", 400, "bad_parameter", "\"from\" is unknown"});
}

TEST_CASE("a wrong method is told which one is right") {
  for (const auto* method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "post", "BREW"}) {
    const auto answer = refusal(method, "/append_log");
    CHECK(answer.status == 405);
    CHECK(answer.allow == "POST");
  }
  for (const auto* page : {"/log", "/healthz", "/cluster"})
    for (const auto* method : {"POST", "HEAD", "OPTIONS"}) {
      const auto answer = refusal(method, page);
      CHECK(answer.status == 405);
      CHECK(answer.allow == "GET");
    }
}

TEST_CASE("an index and a page become JSON") {
  const client_reply appended{token{1}, errc::ok, payload{encode_index(~std::uint64_t{0})}};
  CHECK(answer_of(http_page::append_log, appended, "n\"2").body ==
        R"({"status":"success","index":18446744073709551615,"node":"n\"2"})");

  log_page_writer writer;
  writer.add({0, "k", "1.0"});
  writer.add({7, "q\"\\\n\x01\x7f\xc3\xa9", R"({"a": 12345678901234567890123})"});
  const client_reply page{token{1}, errc::ok, payload{std::move(writer).finish(100, 1234)}};
  CHECK(answer_of(http_page::log, page, "n2").body ==
        "{\"entries\":[{\"index\":0,\"key\":\"k\",\"value\":1.0},{\"index\":7,\"key\":"
        "\"q\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\","
        "\"value\":{\"a\": 12345678901234567890123}}],\"next\":100,\"end\":1234}");
  const client_reply empty{token{1}, errc::ok, payload{log_page_writer{}.finish(5, 5)}};
  CHECK(answer_of(http_page::log, empty, "n2").body == R"({"entries":[],"next":5,"end":5})");

  for (const auto page_of : {http_page::append_log, http_page::log})
    check_error(answer_of(page_of, {token{1}, errc::ok, payload{std::string{"odd"}}}, "n2"),
                {"odd", 500, "internal", "The state machine's answer"});
}

TEST_CASE("every failure has its status, and its sentence or ours") {
  const std::vector<std::pair<errc, unsigned>> table{
      {errc::no_quorum, 503},   {errc::unknown_outcome, 504}, {errc::session_expired, 503},
      {errc::overloaded, 429},  {errc::too_large, 413},       {errc::invalid_command, 400},
      {errc::not_founded, 503}, {errc::moved, 503},           {errc::shutting_down, 503},
      {errc::bad_config, 500},  {errc::io_failed, 500},       {errc::corrupt, 500},
      {errc::in_use, 500},
  };
  for (const auto& [code, status] : table) {
    const std::string name{to_string(code)};
    check_error(answer_of(http_page::append_log, {token{1}, code, {}}, "n2"), {name, status, name, ""});
    check_error(answer_of(http_page::log, {token{1}, code, payload{std::string{"Of \"its\" own."}}}, "n2"),
                {name, status, name, "Of \"its\" own."});
  }
}

TEST_CASE("health and cluster pages pass on what they are told") {
  CHECK(health_answer(true, "").status == 200);
  CHECK(health_answer(true, "").body == R"({"status":"ok"})");
  check_error(health_answer(false, "Only 1 of 3 members answers."), {"", 503, "no_quorum", "Only 1 of 3"});
  check_error(health_answer(false, ""), {"", 503, "no_quorum", "majority"});
  CHECK(cluster_answer("{}").body == "{}");
}

TEST_CASE("text that is not UTF-8 is told apart and still becomes a JSON string") {
  const std::vector<std::string> good{"",
                                      "a",
                                      "\xc3\xa9",
                                      "\xe2\x82\xac",
                                      "\xf0\x9f\x98\x80",
                                      "\xf4\x8f\xbf\xbf",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80"};
  for (const auto& text : good)
    CHECK(is_utf8(text));
  const std::vector<std::string> bad{
      "\x80",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
      "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
      "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "a\xff"};
  for (const auto& text : bad)
    CHECK_FALSE(is_utf8(text));
  prng random{3};
  for (int i = 0; i < 5000; ++i) {
    std::string text(random.below(12), '\0');
    for (auto& c : text)
      c = static_cast<char>(random.chance(50) ? random.between(0x80, 0xff) : random.below(0x80));
    std::string json;
    append_json_string(json, text);
    const auto back = nlohmann::json::parse(json).get<std::string>();
    if (is_utf8(text))
      CHECK(back == text);
    CHECK(is_utf8(in_quotes(back + std::string(60, 'x') + "\xc3\xa9\xc3\xa9\xc3\xa9")));
  }
}
