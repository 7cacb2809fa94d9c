#include "actors/limits.hpp"
#include "actors/prng.hpp"
#include "tests/runtime/served_gateway.hpp"

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
  text += "GET /healthz HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\n";
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
  const std::string chunked = "\r\nPOST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
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
                      "POST /append_log HTTP/1.1\r\nContent-Length: " + std::to_string(append_text.size()) +
                      "\r\nExpect: 100-Continue\r\n\r\n"));
  CHECK(client.stays_silent(100ms));
  node.gateway().answer({served_gateway::index_for(node.await(1)[0], 0)});
  CHECK(client.receive()->status == 200);
  CHECK(client.receive()->status == 100);
  REQUIRE(client.send(append_text));
  node.gateway().answer({served_gateway::index_for(node.await(2)[1], 1)});
  CHECK(client.receive()->body == success(1));

  auto large = node.client();
  REQUIRE(large.send("POST /append_log HTTP/1.1\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(large.receive()->status == 413);
  CHECK(large.sees_end());
  auto odd = node.client();
  REQUIRE(odd.send("POST /append_log HTTP/1.1\r\nContent-Length: 6\r\nExpect: 200-ok\r\n\r\n"));
  CHECK(odd.receive()->status == 400);
}

TEST_CASE("HEAD and OPTIONS are told what is allowed, without confusing the connection") {
  served_gateway node;
  auto client = node.client();
  REQUIRE(client.send("HEAD /log HTTP/1.1\r\n\r\n"));
  const auto head = client.receive(true);
  CHECK(head->status == 405);
  CHECK(head->header.find("Allow: GET\r\n") != std::string::npos);
  REQUIRE(client.send("OPTIONS /append_log HTTP/1.1\r\n\r\n"));
  const auto options = client.receive();
  CHECK(options->status == 405);
  CHECK(options->header.find("Allow: POST\r\n") != std::string::npos);
  CHECK(client.get("/healthz")->status == 200);
}

TEST_CASE("a connection is closed where the client says so, and kept for an old client that asks for it") {
  served_gateway node;
  auto closing = node.client();
  REQUIRE(closing.send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"));
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
  REQUIRE(chunked.send("POST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
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
       {"GET /healthz HTTP/1.1\r\nA: " + std::string(3000, 'a') + "\r\n\r\n",
        "GET /" + std::string(3000, 'a'), "GET /healthz HTTP/1.1\r\n" + many + "\r\n",
        "POST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(3000, 'a'),
        "POST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(3000, 'a')}) {
    CAPTURE(text.substr(0, 60));
    auto client = node.client();
    REQUIRE(client.send(text));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK(reply->status == 431);
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
       {"x\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x01\x01", "GET /log HTTP/2.0\r\n\r\n",
        "GET /log\r\n\r\n", "GET /log HTTP/1.1\r\nno colon\r\n\r\n", "GET /log HTTP/1.1\nHost: n\n\n",
        "POST /append_log HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST /append_log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
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
      "POST /append_log?timeout_ms=5 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
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
