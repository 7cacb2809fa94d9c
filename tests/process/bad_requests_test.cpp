// Whatever clients send, they get the documented answer, and the node goes on.

#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <random>

namespace {

using namespace quorate::testing;

struct bad_request {
  std::string what;
  std::string method;
  std::string target;
  std::string body;
  unsigned status;
  std::string error;
  std::string names;  ///< stands in the message
};

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::vector<bad_request> bad_requests() {
  const std::string post = "POST";
  const std::string get = "GET";
  const std::string append = "/append_log";
  const std::string good = R"({"key":"k","value":1})";
  return {
      {"no body", post, append, "", 400, "malformed_json", "empty"},
      {"half a body", post, append, R"({"key":"k","value":)", 400, "malformed_json", "JSON"},
      {"two bodies", post, append, good + good, 400, "malformed_json", "JSON"},
      {"a zero byte behind it", post, append, good + std::string(1, '\0'), 400, "malformed_json", "JSON"},
      {"not a number", post, append, R"({"key":"k","value":NaN})", 400, "malformed_json", "JSON"},
      {"a comment", post, append, R"({"key":"k",/*x*/"value":1})", 400, "malformed_json", "JSON"},
      {"invalid UTF-8", post, append, "{\"key\":\"k\",\"value\":\"\xc3\x28\"}", 400, "malformed_json",
       "UTF-8"},
      {"a lone surrogate", post, append, R"({"key":"k","value":"\ud800"})", 400, "malformed_json", "JSON"},
      {"an array", post, append, R"(["k",1])", 400, "wrong_field", "object"},
      {"a text", post, append, R"("k")", 400, "wrong_field", "object"},
      {"no key", post, append, R"({"value":1})", 400, "missing_field", "key"},
      {"no value", post, append, R"({"key":"k"})", 400, "missing_field", "value"},
      {"an empty object", post, append, "{}", 400, "missing_field", "key"},
      {"a number as key", post, append, R"({"key":7,"value":1})", 400, "wrong_field", "key"},
      {"an unknown field", post, append, R"({"key":"k","value":1,"ttl":2})", 400, "unknown_field", "ttl"},
      {"a field twice", post, append, R"({"key":"k","key":"l","value":1})", 400, "duplicate_field", "key"},
      {"a wrapped text", post, append, R"({"log_entry":"k"})", 400, "wrong_field", "log_entry"},
      {"wrapped without a value", post, append, R"({"log_entry":{"key":"k"}})", 400, "missing_field",
       "log_entry.value"},
      {"wrapped and not", post, append, R"({"log_entry":{"key":"k","value":1},"key":"k"})", 400,
       "unknown_field", "log_entry"},
      {"too deep", post, append, R"({"key":"k","value":)" + nested(1'000) + "}", 400, "too_deep",
       "json_depth_max"},
      {"too large", post, append, R"({"key":"k","value":")" + std::string(600'000, 'x') + "\"}", 413,
       "too_large", "command_bytes_max"},
      {"a key too large", post, append, R"({"key":")" + std::string(5'000, 'x') + R"(","value":1})", 413,
       "too_large", "key_bytes_max"},
      {"a timeout of 0", post, append + "?timeout_ms=0", good, 400, "bad_parameter", "timeout_ms"},
      {"a timeout of words", post, append + "?timeout_ms=soon", good, 400, "bad_parameter", "timeout_ms"},
      {"a timeout too long", post, append + "?timeout_ms=99999999999999999999", good, 400, "bad_parameter",
       "timeout_ms"},
      {"an unknown parameter", post, append + "?fast=1", good, 400, "bad_parameter", "fast"},
      {"a log from nowhere", get, "/log?from=-1", "", 400, "bad_parameter", "from"},
      {"a log without end", get, "/log?limit=1000000", "", 400, "bad_parameter", "limit"},
      {"a log of nothing", get, "/log?limit=0", "", 400, "bad_parameter", "limit"},
      {"another consistency", get, "/log?consistency=maybe", "", 400, "bad_parameter", "consistency"},
      {"a parameter twice", get, "/log?from=1&from=2", "", 400, "bad_parameter", "from"},
      {"a key that cannot be decoded", get, "/log?key=%zz", "", 400, "bad_parameter", "key"},
      {"no such page", get, "/logs", "", 404, "not_found", "/logs"},
      {"the root", get, "/", "", 404, "not_found", "/append_log"},
      {"a page above the root", get, "/../../etc/passwd", "", 404, "not_found", "passwd"},
      {"a read of the appends", get, append, "", 405, "method_not_allowed", "POST"},
      {"a write of the log", post, "/log", good, 405, "method_not_allowed", "GET"},
      {"a deletion", "DELETE", "/log", "", 405, "method_not_allowed", "GET"},
      {"a method of its own", "FROBNICATE", "/healthz", "", 501, "not_implemented", "FROBNICATE"},
      {"a bad escape", get, "/%6Cog%4", "", 400, "bad_path", "percent"},
      {"a word for wait", post, append + "?wait=yes", good, 400, "bad_parameter", "wait"},
      {"a target too long", get, "/log?key=" + std::string(20'000, 'x'), "", 414, "target_too_long",
       "header_bytes_max"},
  };
}

TEST_CASE("bad requests get the documented errors, and none of them reaches the log") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  auto n1 = cluster.client(1);
  for (const auto& bad : bad_requests()) {
    INFO(bad.what);
    const auto reply = n1.request(bad.method, bad.target, bad.body);
    REQUIRE(reply);
    INFO(reply->body);
    CHECK(reply->status == bad.status);
    CHECK(parse_error(reply->body) == bad.error);
    const auto answer = nlohmann::json::parse(reply->body, nullptr, false);
    REQUIRE(answer.is_object());
    CHECK(answer.size() == 3);
    CHECK(answer.value("message", "").find(bad.names) != std::string::npos);
    CHECK(reply->has_field("Content-Type"));
    if (bad.status == 405)
      CHECK(reply->has_field("Allow"));
  }
  CHECK(cluster.healthy(1));
  CHECK(read_log(n1, true).value_or(std::vector<log_entry>(1)).empty());
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("what is not HTTP at all gets an error or a closed connection, and the node goes on") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  std::mt19937_64 random{7};
  for (int i = 0; i < 200; ++i) {
    std::string noise(1 + random() % 2'000, '\0');
    for (auto& c : noise)
      c = static_cast<char>(random());
    auto n1 = cluster.client(1, std::chrono::milliseconds{100});
    if (const auto reply = n1.raw(i % 2 == 0 ? noise : "POST /append_log HTTP/1.1\r\n" + noise))
      CHECK(reply->status >= 400);
  }
  // A client that has mistaken one port for the other.
  for (int i = 0; i < 20; ++i)
    CHECK_FALSE(http_client{cluster.peer_port(1), std::chrono::milliseconds{20}}.get("/healthz"));
  auto n1 = cluster.client(1);
  const auto reply = n1.post("/append_log", append_text("k", "still here"));
  REQUIRE(reply);
  CHECK(reply->status == 200);
  REQUIRE(cluster.wait_all_healthy());
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("the value's text comes back from every node as it was sent") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  const std::vector<std::string> values = {"null",
                                           "1e400",
                                           "0.10",
                                           "-0",
                                           "123456789012345678901234567890",
                                           R"({ "b" : 1, "a":[ ] })",
                                           R"("\u00e4 \/ ä")",
                                           "\"\xf0\x9f\x8e\xb2\"",
                                           nested(20)};
  std::uint64_t index = 0;
  for (const auto& value : values) {
    auto client = cluster.client(index % 3 + 1);
    const auto body = index % 2 == 0 ? R"({"key":"k","value":)" + value + "}"
                                     : R"({"log_entry":{"value":)" + value + R"(,"key":"k"}})";
    const auto reply = client.post("/append_log", body);
    REQUIRE(reply);
    INFO(value << ": " << reply->body);
    if (value == "1e400") {
      // A number that no double holds is refused and not changed.
      CHECK(reply->status == 400);
      continue;
    }
    REQUIRE(reply->status == 200);
    CHECK(parse_append_answer(reply->body) == index);
    for (std::size_t n = 1; n <= 3; ++n) {
      auto reader = cluster.client(n);
      const auto page = reader.get("/log?from=" + std::to_string(index));
      REQUIRE(page);
      CHECK(page->body == R"({"entries":[{"index":)" + std::to_string(index) + R"(,"key":"k","value":)" +
                              value + R"(}],"next":)" + std::to_string(index + 1) + R"(,"end":)" +
                              std::to_string(index + 1) + "}");
    }
    ++index;
  }
}

}  // namespace
