#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "runtime/http_date.hpp"
#include "tests/runtime/served_gateway.hpp"

#include <map>

using namespace quorate;
using namespace std::chrono_literals;

TEST_CASE("a connection serves one request after the other") {
  served_gateway node;
  auto client = node.client();
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto reply = client.post("/append_log?timeout_ms=70", append_text);
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->body == success(i));
    CHECK(reply->header.find("Content-Type: application/json\r\n") != std::string::npos);
    CHECK(reply->header.find("Connection:") == std::string::npos);
  }
  const auto page = client.get("/log?from=0");
  REQUIRE(page);
  CHECK(page->body == R"({"entries":[],"next":0,"end":100})");
  const auto requests = node.await(101);
  CHECK(requests[0].key == "k");
  CHECK(requests[0].body.view() == "1.0");
  CHECK(requests[0].timeout == 70ms);
  CHECK(requests[100].kind == request_kind::read);
  CHECK(node.gateway().figures().requests == 101);
}

TEST_CASE("health and cluster are answered without the backend's queue") {
  served_gateway node;
  auto client = node.client();
  CHECK(client.get("/healthz")->body == R"({"status":"ok"})");
  CHECK(client.get("/cluster")->body == R"({"name":"demo"})");
  node.set_health({false, "Only 1 of 3 members can be reached."});
  const auto ill = client.get("/healthz");
  CHECK(ill->status == 503);
  CHECK(says(*ill, "Only 1 of 3 members"));
  CHECK(ill->header.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(node.batches().empty());
}

TEST_CASE("pipelined requests are answered in their order, whatever the backend's") {
  served_gateway node{{}, false};
  auto client = node.client();
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += http_client::post_text("/append_log", append_text);
  text += "GET /healthz HTTP/1.1\r\nHost: n\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: n\r\n\r\n";
  REQUIRE(client.send(text));
  const auto requests = node.await(20);
  prng random{5};
  std::vector<std::size_t> order(20);
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  for (const auto i : order)
    node.gateway().answer({served_gateway::index_for(requests[i], i)});
  for (std::uint64_t i = 0; i < 20; ++i)
    CHECK(client.receive()->body == success(i));
  CHECK(client.receive()->status == 200);
  CHECK(client.receive()->status == 404);
}

TEST_CASE("requests that come together are submitted together") {
  served_gateway node;
  auto client = node.client();
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += http_client::post_text("/append_log", append_text);
  REQUIRE(client.send(text));
  for (std::uint64_t i = 0; i < 50; ++i)
    CHECK(client.receive()->body == success(i));
  CHECK(node.batches().size() < 25);
}

TEST_CASE("a connection has a bounded number of requests in flight, and reading pauses beyond") {
  http_options options;
  options.pipeline_max = 4;
  served_gateway node{options, false};
  auto client = node.client();
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += http_client::post_text("/append_log", append_text);
  REQUIRE(client.send(text));
  std::size_t answered = 0;
  while (answered < 50) {
    const auto requests = node.await(std::min<std::size_t>(answered + 4, 50));
    REQUIRE(requests.size() <= answered + 4);
    CHECK(node.gateway().figures().in_flight <= 4);
    for (; answered < requests.size(); ++answered)
      node.gateway().answer({served_gateway::index_for(requests[answered], answered)});
  }
  for (std::uint64_t i = 0; i < 50; ++i)
    CHECK(client.receive()->body == success(i));
}

TEST_CASE("a request may come byte by byte, and end in chunks") {
  served_gateway node;
  auto client = node.client();
  for (const auto c : http_client::post_text("/append_log", append_text))
    REQUIRE(client.send({&c, 1}));
  CHECK(client.receive()->body == success(0));
  const std::string chunked = "\r\nPOST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "8;x=y\r\n{\"key\":\"\r\nf\r\nk\",\"value\":1.0}\r\n0\r\nTrailer: t\r\n\r\n";
  REQUIRE(client.send(chunked + chunked));
  CHECK(client.receive()->body == success(1));
  CHECK(client.receive()->body == success(2));
  for (const auto c : chunked)
    REQUIRE(client.send({&c, 1}));
  CHECK(client.receive()->body == success(3));
  for (const auto& request : node.await(4))
    CHECK(request.body.view() == "1.0");
}

TEST_CASE("a client that waits for a word to continue gets one, in its turn") {
  served_gateway node{{}, false};
  auto client = node.client();
  REQUIRE(client.send(http_client::post_text("/append_log", append_text) +
                      "POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: " + std::to_string(append_text.size()) +
                      "\r\nExpect: 100-Continue\r\n\r\n"));
  CHECK(client.stays_silent(100ms));
  node.gateway().answer({served_gateway::index_for(node.await(1)[0], 0)});
  CHECK(client.receive()->status == 200);
  CHECK(client.receive()->status == 100);
  REQUIRE(client.send(append_text));
  node.gateway().answer({served_gateway::index_for(node.await(2)[1], 1)});
  CHECK(client.receive()->body == success(1));

  auto large = node.client();
  REQUIRE(large.send("POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(large.receive()->status == 413);
  CHECK(large.sees_end());
  auto odd = node.client();
  REQUIRE(odd.send("POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: 6\r\nExpect: 200-ok\r\n\r\n"));
  const auto refused = odd.receive();
  CHECK(refused->status == 417);
  CHECK(says(*refused, "expectation_failed"));
}

TEST_CASE("HEAD is answered as GET is, without the body, and OPTIONS with what is allowed") {
  served_gateway node;
  auto client = node.client();
  for (const std::string target : {"/healthz", "/cluster", "/log?limit=1"}) {
    CAPTURE(target);
    const auto whole = client.get(target);
    REQUIRE(client.send("HEAD " + target + " HTTP/1.1\r\nHost: n\r\n\r\n"));
    const auto head = client.receive(true);
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->header.find("Content-Length: " + std::to_string(whole->body.size()) + "\r\n") !=
          std::string::npos);
  }
  for (const auto& [target, allow] : std::map<std::string, std::string>{
           {"/append_log", "POST, OPTIONS"},
           {"/log?limit=1", "GET, HEAD, OPTIONS"},
           {"/balancer", "PUT, OPTIONS"},
           {"*", "GET, HEAD, POST, PUT, OPTIONS"},
           {"http://n:1", "GET, HEAD, POST, PUT, OPTIONS"}}) {
    CAPTURE(target);
    REQUIRE(client.send("OPTIONS " + target + " HTTP/1.1\r\nHost: n\r\n\r\n"));
    const auto options = client.receive();
    REQUIRE(options);
    CHECK(options->status == 200);
    CHECK(options->body.empty());
    CHECK(options->header.find("Allow: " + allow + "\r\n") != std::string::npos);
    CHECK(options->header.find("Content-Length: 0\r\n") != std::string::npos);
  }
  // The connection has not lost count of what has a body.
  REQUIRE(client.send("HEAD /append_log HTTP/1.1\r\nHost: n\r\n\r\n"));
  CHECK(client.receive(true)->status == 405);
  CHECK(client.get("/healthz")->status == 200);
  // Nor does a request that is refused before it was understood get one.
  REQUIRE(client.send("HEAD /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"));
  CHECK(client.receive(true)->status == 400);
  CHECK(client.sees_end());
}

TEST_CASE("a Host is there, once, and good, where the version asks for one") {
  served_gateway node;
  const auto status_of = [&](const std::string& version, const std::string& fields) {
    auto client = node.client();
    REQUIRE(client.send("GET /healthz HTTP/" + version + "\r\n" + fields + "Connection: close\r\n\r\n"));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK((reply->status == 200 || says(*reply, "malformed_request")));
    return reply->status;
  };
  CHECK(status_of("1.1", "") == 400);
  CHECK(status_of("1.0", "") == 200);
  for (const std::string version : {"1.0", "1.1"}) {
    CHECK(status_of(version, "Host: a\r\nHost: a\r\n") == 400);
    for (const std::string good : {"a", "a.example:80", "127.0.0.1:8101", "[::1]", "[::1]:8101", "a:", "a_b", "%41", ""}) {
      CAPTURE(good);
      CHECK(status_of(version, "host: " + good + "\r\n") == 200);
    }
    for (const std::string bad : {"a b", "a/b", "a@b", "a:b", "a:80:80", "a:65536", "[::1", "[]", "[::1]x", "::1", "a\\b",
                                  "a%4", "<a>", "http://a", "a, b", "a#b", "a?b"}) {
      CAPTURE(bad);
      CHECK(status_of(version, "Host: " + bad + "\r\n") == 400);
    }
  }
}

TEST_CASE("every answer says when it was made") {
  served_gateway node;
  auto client = node.client();
  for (const std::string request : {"GET /healthz", "GET /nowhere", "OPTIONS *", "BREW /log", "GET /log"}) {
    CAPTURE(request);
    REQUIRE(client.send(request + " HTTP/1.1\r\nHost: n\r\n\r\n"));
    const auto before = std::time(nullptr);
    const auto reply = client.receive();
    REQUIRE(reply);
    const auto at = reply->header.find("\r\nDate: ");
    REQUIRE(at != std::string::npos);
    const auto date = reply->header.substr(at + 8, reply->header.find("\r\n", at + 2) - at - 8);
    auto close = false;
    for (auto second = before - 3; second <= before + 3; ++second)
      close = close || date == imf_fixdate(second);
    CHECK_MESSAGE(close, date);
  }
  // It is looked at again and again.
  const auto first = client.get("/healthz")->header;
  std::this_thread::sleep_for(1400ms);
  CHECK(client.get("/healthz")->header != first);
}

TEST_CASE("what the body is wrapped in is refused where we cannot undo it") {
  served_gateway node;
  const auto answer_to = [&](const std::string& fields, const std::string& body) {
    auto client = node.client();
    client.send("POST /append_log HTTP/1.1\r\nHost: n\r\n" + fields + "\r\n" + body);
    const auto reply = client.receive();
    REQUIRE(reply);
    return *reply;
  };
  const auto length = "Content-Length: " + std::to_string(append_text.size()) + "\r\n";
  const std::string chunks = "17\r\n" + append_text + "\r\n0\r\n\r\n";
  REQUIRE(append_text.size() == 0x17);
  for (const std::string coding : {"gzip", "identity, br", "x"}) {
    const auto reply = answer_to("Content-Encoding: " + coding + "\r\n" + length, append_text);
    CHECK(reply.status == 415);
    CHECK(says(reply, "unsupported_encoding"));
  }
  CHECK(answer_to("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunks).status == 415);
  // Before the body is asked for.
  CHECK(answer_to("Content-Encoding: gzip\r\nExpect: 100-continue\r\n" + length, "").status == 415);
  CHECK(answer_to("Content-Encoding: Identity\r\n" + length, append_text).status == 200);
  CHECK(answer_to("Transfer-Encoding: Chunked\r\n", chunks).status == 200);
  for (const std::string coding : {"gzip", "gzip, chunked", "identity", "x;y=z"}) {
    CAPTURE(coding);
    const auto reply = answer_to("Transfer-Encoding: " + coding + "\r\n", chunks);
    CHECK(reply.status == 501);
    CHECK(says(reply, "not_implemented"));
    CHECK(reply.header.find("Connection: close\r\n") != std::string::npos);
  }
  for (const std::string coding : {"chunked, gzip", "chunked, chunked", "chunked;x=y", "chunked,", ",chunked", "",
                                   "gzip, chunked, chunked", "chunked\r\nTransfer-Encoding: chunked",
                                   "chunked\r\nContent-Length: 5"}) {
    CAPTURE(coding);
    const auto reply = answer_to("Transfer-Encoding: " + coding + "\r\n", chunks);
    CHECK(reply.status == 400);
    CHECK(reply.header.find("Connection: close\r\n") != std::string::npos);
  }
  CHECK(answer_to(length + length, append_text).status == 400);
  CHECK(answer_to("Content-Length: 23, 23\r\n", append_text).status == 400);
  auto old = node.client();
  old.send("POST /append_log HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
  CHECK(old.receive()->status == 400);
}

TEST_CASE("another version of HTTP is told which ones are spoken") {
  served_gateway node;
  for (const std::string line : {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /healthz HTTP/2.0\r\n\r\n",
                                 "GET /healthz HTTP/0.9\r\n\r\n", "GET /healthz HTTP/1.2\r\n\r\n"}) {
    CAPTURE(line);
    auto client = node.client();
    REQUIRE(client.send(line));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK(reply->status == 505);
    CHECK(says(*reply, "version_not_supported"));
    CHECK(client.sees_end());
  }
}

TEST_CASE("a connection is closed where the client says so, and kept for an old client that asks for it") {
  served_gateway node;
  auto closing = node.client();
  REQUIRE(closing.send("GET /healthz HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n"));
  CHECK(closing.receive()->header.find("Connection: close\r\n") != std::string::npos);
  CHECK(closing.sees_end());
  auto old = node.client();
  REQUIRE(old.send("GET /healthz HTTP/1.0\r\n\r\n"));
  CHECK(old.receive()->status == 200);
  CHECK(old.sees_end());
  auto kept = node.client();
  REQUIRE(kept.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(kept.receive()->header.find("Connection: keep-alive\r\n") != std::string::npos);
  CHECK(kept.get("/healthz")->status == 200);
}

TEST_CASE("a client that has closed its sending side still gets its answers") {
  served_gateway node{{}, false};
  auto client = node.client();
  REQUIRE(client.send(http_client::post_text("/append_log", append_text)));
  client.finish_sending();
  const auto requests = node.await(1);
  CHECK(client.stays_silent(50ms));
  node.gateway().answer({served_gateway::index_for(requests[0], 7)});
  CHECK(client.receive()->body == success(7));
  CHECK(client.sees_end());
}

TEST_CASE("a body above the limit is refused by name, declared or in chunks") {
  served_gateway node;
  const auto limit = std::to_string(limits::command_bytes_max);
  auto declared = node.client();
  // The whole body goes out: a server that just closed would cut its own answer off.
  declared.send(http_client::post_text("/append_log", std::string(limits::command_bytes_max + 1, 'x')));
  const auto reply = declared.receive();
  REQUIRE(reply);
  CHECK(reply->status == 413);
  CHECK(says(*reply, "command_bytes_max (" + limit + " bytes)"));
  CHECK(reply->header.find("Connection: close\r\n") != std::string::npos);

  auto chunked = node.client();
  REQUIRE(chunked.send("POST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 9; ++i)
    if (!chunked.send("10000\r\n" + std::string(0x10000, 'x') + "\r\n"))
      break;
  CHECK(chunked.receive()->status == 413);

  auto largest = node.client();
  const auto envelope = std::string{R"({"key":"k","value":""})"};
  auto body = envelope;
  body.insert(envelope.size() - 2, limits::command_bytes_max - envelope.size(), 'v');
  CHECK(largest.post("/append_log", body)->status == 200);
}

TEST_CASE("a header above the limit is refused by name, in one field, in many, or in a chunk's") {
  http_options options;
  options.header_bytes_max = 2000;
  served_gateway node{options};
  const auto many = [] {
    std::string out;
    for (int i = 0; i < 300; ++i)
      out += "A: b\r\nCdefg: hijk\r\n";
    return out;
  }();
  for (const auto& text :
       {"GET /healthz HTTP/1.1\r\nHost: n\r\nA: " + std::string(3000, 'a') + "\r\n\r\n",
        "GET /" + std::string(3000, 'a'), "GET /healthz HTTP/1.1\r\n" + many + "\r\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(3000, 'a'),
        "POST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(3000, 'a')}) {
    CAPTURE(text.substr(0, 60));
    auto client = node.client();
    REQUIRE(client.send(text));
    const auto reply = client.receive();
    REQUIRE(reply);
    // A first line that does not end is a target that is too long.
    CHECK(reply->status == (text.starts_with("GET /a") ? 414 : 431));
    CHECK(says(*reply, text.starts_with("GET /a") ? "target_too_long" : "header_too_large"));
    CHECK(says(*reply, "header_bytes_max (2000 bytes)"));
    CHECK(client.sees_end());
  }
  // Field by field, so that no single read sees too much.
  auto slow = node.client();
  REQUIRE(slow.send("GET /healthz HTTP/1.1\r\n"));
  for (int i = 0; i < 300; ++i) {
    if (!slow.send("A: b\r\nCdefg: hijk\r\n"))
      break;
    std::this_thread::sleep_for(100us);
  }
  CHECK(slow.receive()->status == 431);
}

TEST_CASE("what is not HTTP is refused and closed, and never reaches the backend") {
  served_gateway node;
  for (const std::string text :
       {"x\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x01\x01", "GET /log HTTP/x.0\r\n\r\n",
        "GET /log\r\n\r\n", "GET /log HTTP/1.1\r\nno colon\r\n\r\n", "GET /log HTTP/1.1\nHost: n\n\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: -1\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    CAPTURE(text);
    auto client = node.client();
    REQUIRE(client.send(text));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK(reply->status == 400);
    CHECK(says(*reply, "malformed_request"));
    CHECK(client.sees_end());
  }
  CHECK(node.batches().empty());
}

TEST_CASE("random bytes never stop the gateway") {
  served_gateway node;
  const std::string valid =
      "POST /append_log?timeout_ms=5 HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
      "8\r\n{\"key\":\"\r\nf\r\nk\",\"value\":1.0}\r\n0\r\nT: t\r\n\r\n";
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    prng random{seed};
    auto text = valid + valid;
    for (auto n = random.between(1, 8); n > 0; --n) {
      const auto at = random.below(text.size());
      if (random.chance(50))
        text[at] = static_cast<char>(random.below(256));
      else
        text.erase(at, random.below(20));
    }
    auto client = node.client();
    client.send(std::string_view{text}.substr(0, text.size() / 2));
    client.send(std::string_view{text}.substr(text.size() / 2));
    if (random.chance(50))
      client.abort();
  }
  CHECK(node.client().get("/healthz")->status == 200);
}
