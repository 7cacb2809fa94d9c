#include "runtime/http_routes.hpp"

#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/json_text.hpp"
#include "tests/runtime/parsed_call.hpp"

using namespace quorate;
using namespace std::chrono_literals;

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

TEST_CASE("a wrong method is told which ones are right, and one that nobody knows that it is unknown") {
  for (const auto* method : {"GET", "HEAD", "PUT", "DELETE", "TRACE", "PATCH"}) {
    const auto answer = refusal(method, "/append_log");
    CHECK(answer.status == 405);
    CHECK(answer.allow == "POST, OPTIONS");
  }
  for (const auto* page : {"/log", "/healthz", "/cluster"})
    for (const auto* method : {"POST", "DELETE", "TRACE"}) {
      const auto answer = refusal(method, page);
      CHECK(answer.status == 405);
      CHECK(answer.allow == "GET, HEAD, OPTIONS");
    }
  CHECK(refusal("CONNECT", "n1:80").status == 405);
  // Methods are told apart by case.
  for (const auto* method : {"post", "BREW", "get", "M-SEARCH"})
    check_error(refusal(method, "/log"), {"", 501, "not_implemented", method});
  check_error(refusal("BREW", "/nowhere"), {"", 501, "not_implemented", "BREW"});
}

TEST_CASE("HEAD asks for what GET asks for, and OPTIONS for what is allowed") {
  CHECK(accepted("HEAD", "/healthz").page == http_page::healthz);
  const auto read = accepted("HEAD", "/log?from=7");
  CHECK(read.page == http_page::log);
  CHECK(decode_log_query(read.request.body.view()) == log_query{7, 100, {}});
  for (const auto* target : {"/log", "http://n1/log", "/log?no=parameters", "/%6cog"}) {
    const auto answer = refusal("OPTIONS", target);
    CHECK(answer.status == 200);
    CHECK(answer.allow == "GET, HEAD, OPTIONS");
    CHECK(answer.body.empty());
  }
  CHECK(refusal("OPTIONS", "*").allow == "GET, HEAD, POST, PUT, OPTIONS");
  CHECK(refusal("OPTIONS", "HTTP://n1:80").allow == "GET, HEAD, POST, PUT, OPTIONS");
  CHECK(refusal("OPTIONS", "/nowhere").status == 404);
}

TEST_CASE("paths are split before they are decoded, schemes and hosts are taken in any case") {
  for (const auto* target : {"/log", "/%6Cog", "/%6c%6F%67", "http://n1/log", "HTTP://N1:8101/log", "hTTps://[::1]:1/log",
                             "http://a%41/log?", "http://h:/log"})
    CHECK(accepted("GET", target).page == http_page::log);
  CHECK(decode_log_query(accepted("GET", "Http://n1/log?from=7").request.body.view()) == log_query{7, 100, {}});
  for (const auto* target : {"/%2Flog", "/log%2F", "/log/", "//log", "/log//", "/./log", "/LOG", "/log%00", "/log#x",
                             "/lo+g", "log", "%2Flog", "ftp://n1/log", "http:/log", "/%ff", "/append%5Flog/x"})
    CHECK_MESSAGE(refusal("GET", target).status == 404, target);
  for (const auto* target : {"/%", "/log%", "/log%4", "/%zz", "/log/%4x", "/%6Cog%"})
    check_error(refusal("GET", target), {target, 400, "bad_path", "percent"});
  for (const auto* target : {"http:///log", "http://a b/log", "http://u@n1/log", "http://n1:x/log", "HTTP://n1:99999/log",
                             "http://[::1/log", "http://:80/log", "http://"})
    check_error(refusal("GET", target), {target, 400, "malformed_request", "host"});
}

TEST_CASE("a client says whether it waits where no majority is in sight") {
  CHECK_FALSE(accepted("GET", "/log").request.wait);
  CHECK(accepted("GET", "/log?wait=true").request.wait);
  CHECK_FALSE(accepted("GET", "/log?wait=false").request.wait);
  CHECK(accepted("POST", "/append_log?wait=true&timeout_ms=9", R"({"key":"k","value":1})").request.wait);
  for (const auto* word : {"", "1", "yes", "True"})
    check_error(refusal("GET", "/log?wait=" + std::string{word}), {word, 400, "bad_parameter", "\"wait\""});
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
      {errc::disk_full, 507},   {errc::bad_config, 500},      {errc::io_failed, 500},
      {errc::corrupt, 500},     {errc::in_use, 500},
  };
  for (const auto& [code, status] : table) {
    // What is wrong inside of a node has one name to the outside.
    const std::string name{status == 500 ? "internal" : to_string(code)};
    check_error(answer_of(http_page::append_log, {token{1}, code, {}}, "n2"), {name, status, name, ""});
    check_error(answer_of(http_page::log, {token{1}, code, payload{std::string{"Of \"its\" own."}}}, "n2"),
                {name, status, name, "Of \"its\" own."});
  }
}

TEST_CASE("a policy is read with its options, and what it answers with") {
  const auto call = accepted(
      "PUT", "/balancer", R"({"options":{"explore_percent":10,"failure_weight":"3"},"policy":"adaptive"})");
  CHECK(call.page == http_page::balancer);
  CHECK(call.policy.name == "adaptive");
  CHECK(call.policy.options == balancers::policy_options{{"explore_percent", "10"}, {"failure_weight", "3"}});
  CHECK(call.policy.make() != nullptr);
  CHECK(accepted("PUT", "/balancer", R"({"policy":"local"})").policy.options.empty());
  CHECK(balancer_answer("local", std::nullopt).body == R"({"status":"success","policy":"local"})");
  check_error(balancer_answer("local", failure{errc::not_founded, "None yet."}),
              {"", 503, "not_founded", "None yet."});
}

TEST_CASE("bad policies are refused with a message that names what is wrong") {
  const std::vector<bad_request> table{
      {"", 400, "malformed_json", "The body must be JSON"},
      {R"({"policy":"local"} x)", 400, "malformed_json", "JSON"},
      {R"({"policy":"local","policy":"random"})", 400, "malformed_json", "without repeated names"},
      {R"({"policy":"adaptive","options":{"explore_percent":1,"explore_percent":2}})", 400, "malformed_json",
       "repeated"},
      {"[]", 400, "wrong_field", "The body must be an object."},
      {"{}", 400, "missing_field", "The field \"policy\" is missing."},
      {R"({"policy":7})", 400, "wrong_field", "The field \"policy\" must be a text."},
      {R"({"policy":"local","option":{}})", 400, "unknown_field", "There is no field \"option\""},
      {R"({"policy":"local","options":[]})", 400, "wrong_field", "The field \"options\" must be an object."},
      {R"({"policy":"adaptive","options":{"explore_percent":1.5}})", 400, "wrong_field",
       "\"explore_percent\""},
      {R"({"policy":"adaptive","options":{"explore_percent":null}})", 400, "wrong_field",
       "\"explore_percent\""},
      {R"({"policy":"adaptive","options":{"explore_percent":0}})", 400, "bad_option", "from 1 to 50"},
      {R"({"policy":"adaptive","options":{"explore_percent":-1}})", 400, "bad_option", "from 1 to 50"},
      {R"({"policy":"local","options":{"x":1}})", 400, "bad_option", "unknown option x (it has none)"},
      {R"({"policy":"dice"})", 400, "unknown_policy", "known: local, random"},
      {R"({"policy":""})", 400, "unknown_policy", "\"\""},
      {R"({"policy":")" + std::string(5'000, 'x') + "\"}", 413, "too_large", "policy_bytes_max"},
  };
  for (const auto& row : table) {
    CAPTURE(row.body_or_target);
    check_error(refusal("PUT", "/balancer", row.body_or_target), row);
  }
  check_error(refusal("POST", "/balancer", R"({"policy":"local"})"), {"", 405, "method_not_allowed", "PUT"});
  check_error(refusal("PUT", "/balancer?x=1", R"({"policy":"local"})"), {"", 400, "bad_parameter", "\"x\""});
}

TEST_CASE("health and cluster pages pass on what they are told") {
  CHECK(health_answer(errc::ok, "").status == 200);
  CHECK(health_answer(errc::ok, "").body == R"({"status":"ok"})");
  check_error(health_answer(errc::no_quorum, "Only 1 of 3 members answers."), {"", 503, "no_quorum", "Only 1 of 3"});
  check_error(health_answer(errc::no_quorum, ""), {"", 503, "no_quorum", "majority"});
  check_error(health_answer(errc::disk_full, "n2 is full."), {"", 503, "disk_full", "n2 is full."});
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
