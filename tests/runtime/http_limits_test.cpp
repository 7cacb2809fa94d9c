#include "actors/limits.hpp"
#include "tests/runtime/served_gateway.hpp"

#include <sys/resource.h>

#include <atomic>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

/// Timeouts that a test can wait for.
http_options impatient() {
  http_options options;
  options.idle_timeout = 400ms;
  options.request_timeout = 150ms;
  options.write_timeout = 300ms;
  options.linger_timeout = 150ms;
  options.drain_timeout = 300ms;
  return options;
}

/// A page of the log whose one value has so many bytes.
payload page_of(std::size_t bytes) {
  log_page_writer page;
  page.add({0, "k", "\"" + std::string(bytes, 'v') + "\""});
  return payload{std::move(page).finish(1, 1)};
}

http_backend no_backend() {
  return {[](std::vector<client_request>) {},
          [] { return http_backend::health_state{}; },
          [] { return std::string{"{}"}; },
          {}};
}

}  // namespace

TEST_CASE("beyond the connections that are allowed, a client is told so and closed") {
  http_options options;
  options.connections_max = 3;
  served_gateway node{options};
  std::vector<http_client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(node.client());
    REQUIRE(clients.back().get("/healthz")->status == 200);
  }
  for (int i = 0; i < 5; ++i) {
    auto refused = node.client();
    const auto reply = refused.receive();
    REQUIRE(reply);
    CHECK(reply->status == 503);
    CHECK(says(*reply, "connections_max (3)"));
    CHECK(reply->header.find("Retry-After: 1\r\n") != std::string::npos);
    CHECK(refused.sees_end());
  }
  CHECK(node.gateway().figures().refused == 5);
  for (auto& client : clients)
    CHECK(client.get("/healthz")->status == 200);
  clients.pop_back();
  REQUIRE(node.settles([](const http_figures& f) { return f.connections == 2; }));
  CHECK(node.client().get("/healthz")->status == 200);
}

TEST_CASE("beyond the requests that may be in flight, a client is told to come back") {
  http_options options;
  options.requests_in_flight_max = 5;
  served_gateway node{options, false};
  auto first = node.client();
  for (int i = 0; i < 5; ++i)
    REQUIRE(first.send(http_client::post_text("/append_log", append_text)));
  const auto requests = node.await(5);
  auto second = node.client();
  for (int i = 0; i < 2; ++i) {
    const auto reply = second.post("/append_log", append_text);
    REQUIRE(reply);
    CHECK(reply->status == 429);
    CHECK(says(*reply, "\"overloaded\""));
    CHECK(says(*reply, "requests_in_flight_max (5)"));
    CHECK(reply->header.find("Retry-After: 1\r\n") != std::string::npos);
  }
  CHECK(second.get("/healthz")->status == 200);
  CHECK(node.await(5).size() == 5);
  // Reads have as much room of their own.
  auto reader = node.client();
  for (int i = 0; i < 5; ++i)
    REQUIRE(reader.send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
  node.await(10);
  const auto reply = second.get("/log");
  REQUIRE(reply);
  CHECK(reply->status == 429);
  node.gateway().answer({served_gateway::index_for(requests[0], 0)});
  CHECK(first.receive()->status == 200);
  REQUIRE(second.send(http_client::post_text("/append_log", append_text)));
  node.gateway().answer({served_gateway::index_for(node.await(11)[10], 1)});
  CHECK(second.receive()->body == success(1));
}

TEST_CASE("the bytes of requests that come in or are in flight are bounded") {
  http_options options;
  options.request_bytes_max = 300'000;
  served_gateway node{options, false};
  const auto body = R"({"key":"k","value":")" + std::string(100'000, 'v') + "\"}";
  std::vector<http_client> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(node.client());
    REQUIRE(clients.back().send(http_client::post_text("/append_log", body)));
  }
  const auto requests = node.await(2);
  auto third = node.client();
  const auto refused = third.post("/append_log", std::string(200'000, 'x'));
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(says(*refused, "request_bytes_max"));
  // What a half-sent body took is given back when its sender goes.
  auto gone = node.client();
  REQUIRE(gone.send(http_client::post_text("/append_log", body).substr(0, 90'000)));
  std::this_thread::sleep_for(20ms);
  gone.abort();
  REQUIRE(node.settles([](const http_figures& f) { return f.connections == 2; }));
  for (std::size_t i = 0; i < 2; ++i) {
    node.gateway().answer({served_gateway::index_for(requests[i], i)});
    CHECK(clients[i].receive()->status == 200);
  }
  REQUIRE(clients[0].send(http_client::post_text("/append_log", body)));
  node.gateway().answer({served_gateway::index_for(node.await(3)[2], 2)});
  CHECK(clients[0].receive()->body == success(2));
}

TEST_CASE("reads are refused while too many bytes of answers wait to be sent, writes never") {
  http_options options;
  options.answer_bytes_max = 12'000'000;
  served_gateway node{options, false};
  std::vector<http_client> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(node.client());
    REQUIRE(clients.back().send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
  }
  auto writer = node.client();
  const auto reads = node.await(40);
  REQUIRE(writer.send(http_client::post_text("/append_log", append_text)));
  const auto requests = node.await(41);
  // So large that no socket takes all of it.
  const payload bytes = page_of(8'000'000);
  for (std::size_t i = 0; i < 40; ++i)
    node.gateway().answer({{requests[i].id, errc::ok, bytes}});
  node.gateway().answer({served_gateway::index_for(requests[40], 9)});
  CHECK(writer.receive()->body == success(9));
  std::size_t whole = 0;
  std::size_t refused = 0;
  for (auto& client : clients) {
    const auto reply = client.receive();
    REQUIRE(reply);
    if (reply->status == 200)
      ++whole;
    else if (reply->status == 429 && says(*reply, "answer_bytes_max"))
      ++refused;
  }
  CHECK(whole + refused == 40);
  CHECK(whole >= 1);
  CHECK(refused >= 10);
  // What was taken is free again.
  REQUIRE(writer.send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
  node.gateway().answer({{node.await(42)[41].id, errc::ok, bytes}});
  CHECK(writer.receive()->status == 200);
}

TEST_CASE("answers share their memory with whoever makes them, and give it back") {
  http_options options;
  options.answers = std::make_shared<answer_budget>(4'000'000);
  served_gateway node{options, false};
  auto client = node.client();
  const auto ask = [&](std::size_t count) {
    REQUIRE(client.send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
    return node.await(count)[count - 1].id;
  };
  // Somebody else has it.
  auto other = answer_lease::take(options.answers, 3'900'000);
  REQUIRE(other);
  node.gateway().answer({{ask(1), errc::ok, page_of(200'000)}});
  CHECK(client.receive()->status == 429);
  other.reset();
  node.gateway().answer({{ask(2), errc::ok, page_of(200'000)}});
  CHECK(client.receive()->status == 200);
  // Neither clients that vanish nor those that read leave anything behind.
  for (std::size_t i = 0; i < 20; ++i) {
    auto gone = node.client();
    REQUIRE(gone.send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
    node.gateway().answer({{node.await(i + 3)[i + 2].id, errc::ok, page_of(3'000'000)}});
    if (i % 2 == 0)
      gone.receive();
    gone.abort();
    REQUIRE(node.settles([](const http_figures& f) { return f.connections == 1; }));
  }
  CHECK(options.answers->used() == 0);
}

TEST_CASE("one connection has few reads of the log in flight, however many it has asked for") {
  http_options options;
  options.pipelined_reads_max = 3;
  served_gateway node{options, false};
  auto client = node.client();
  std::string text;
  for (int i = 0; i < 30; ++i)
    text += "GET /log HTTP/1.1\r\nHost: n\r\n\r\n";
  REQUIRE(client.send(text));
  for (std::size_t done = 0; done < 30; ++done) {
    const auto requests = node.await(std::min<std::size_t>(done + 3, 30));
    REQUIRE(requests.size() <= done + 3);
    node.gateway().answer({{requests[done].id, errc::ok, page_of(10)}});
    CHECK(client.receive()->status == 200);
  }
}

TEST_CASE("an answer that its client does not read ends at the request's deadline, and its memory with it") {
  http_options options;
  options.answers = std::make_shared<answer_budget>();
  options.unread_timeout = 200ms;
  served_gateway node{options, false};
  // One that reads, slowly, is left alone. It comes first, so that there is room for its answer.
  auto slow = node.client();
  REQUIRE(slow.send("GET /log?timeout_ms=600 HTTP/1.1\r\nHost: n\r\n\r\n"));
  REQUIRE(node.await(1).size() == 1);
  std::vector<http_client> greedy;
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(node.client());
    std::string text;
    for (int k = 0; k < 20; ++k)
      text += "GET /log?timeout_ms=600 HTTP/1.1\r\nHost: n\r\n\r\n";
    REQUIRE(greedy.back().send(text));
  }
  const auto requests = node.await(6 * options.pipelined_reads_max + 1);
  // All of it fits into the budget, and no connection's part into what the system buffers.
  const auto page = page_of(2'000'000);
  const auto long_page = page_of(16'000'000);
  for (const auto& request : requests)
    node.gateway().answer({{request.id, errc::ok, &request == &requests.front() ? long_page : page}});
  const auto began = std::chrono::steady_clock::now();
  std::size_t got = 0;
  for (int i = 0; i < 15; ++i) {
    std::this_thread::sleep_for(100ms);
    got += slow.take(400'000);
  }
  CHECK(node.settles([](const http_figures& f) { return f.connections == 1; }));
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  // Its answer goes on where it had stopped.
  for (std::size_t n = 1; n > 0 && got < 16'000'000; got += n)
    n = slow.take(1'000'000);
  CHECK(got >= 16'000'000);
  slow.disconnect();
  CHECK(node.settles([](const http_figures& f) { return f.connections == 0; }));
  CHECK(options.answers->used() == 0);
}

TEST_CASE("a request that comes in too slowly is answered 408 and closed") {
  served_gateway node{impatient()};
  const auto whole = http_client::post_text("/append_log", append_text);
  for (const auto cut : {std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    auto client = node.client();
    REQUIRE(client.send(std::string_view{whole}.substr(0, cut)));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK(reply->status == 408);
    CHECK(says(*reply, "request_timeout (150 ms)"));
    CHECK(client.sees_end());
  }
  // A byte now and then does not help.
  auto dripping = node.client();
  const auto began = std::chrono::steady_clock::now();
  for (const auto c : whole) {
    if (!dripping.send({&c, 1}) || !dripping.stays_silent(10ms))
      break;
  }
  CHECK(dripping.receive()->status == 408);
  CHECK(std::chrono::steady_clock::now() - began < 2s);
  CHECK(node.batches().empty());
}

TEST_CASE("an idle connection is closed, one that waits for its answer is not") {
  served_gateway node{impatient(), false};
  auto silent = node.client();
  auto used = node.client();
  REQUIRE(used.get("/healthz")->status == 200);
  auto waiting = node.client();
  REQUIRE(waiting.send(http_client::post_text("/append_log", append_text)));
  const auto requests = node.await(1);
  CHECK(silent.sees_end());
  CHECK(used.sees_end());
  CHECK(waiting.stays_silent(900ms));
  node.gateway().answer({served_gateway::index_for(requests[0], 3)});
  CHECK(waiting.receive()->body == success(3));
  CHECK(waiting.sees_end());
}

TEST_CASE("a client that does not read its answers is closed") {
  auto options = impatient();
  options.pipelined_reads_max = 30;
  served_gateway node{options, false};
  auto client = node.client();
  for (int i = 0; i < 30; ++i)
    REQUIRE(client.send("GET /log HTTP/1.1\r\nHost: n\r\n\r\n"));
  const auto requests = node.await(30);
  const payload bytes = page_of(1'000'000);
  for (const auto& request : requests)
    node.gateway().answer({{request.id, errc::ok, bytes}});
  CHECK(node.settles([](const http_figures& f) { return f.connections == 0; }));
}

TEST_CASE("a client that goes away leaves nothing behind, and its answer is dropped") {
  served_gateway node{{}, false};
  for (int i = 0; i < 20; ++i) {
    auto half = node.client();
    REQUIRE(half.send(http_client::post_text("/append_log", append_text).substr(0, 70)));
    auto whole = node.client();
    REQUIRE(whole.send(http_client::post_text("/append_log", append_text)));
    node.await(static_cast<std::size_t>(i) + 1);
    if (i % 2 == 0) {
      half.abort();
      whole.abort();
    }
  }
  const auto requests = node.await(20);
  CHECK(node.gateway().figures().in_flight == 20);
  for (std::size_t i = 0; i < requests.size(); ++i)
    node.gateway().answer(
        {served_gateway::index_for(requests[i], i), served_gateway::index_for(requests[i], i)});
  node.gateway().answer({{token{0}, errc::ok, {}}, {token{999'999}, errc::no_quorum, {}}});
  CHECK(node.settles([](const http_figures& f) { return f.in_flight == 0 && f.connections == 0; }));
  CHECK(node.client().get("/healthz")->status == 200);
}

TEST_CASE("a port in use is told with its address, and a bad address too") {
  served_gateway node;
  const auto address = "127.0.0.1:" + std::to_string(node.gateway().port());
  http_gateway second{address, {}, no_backend()};
  const auto failed = second.start();
  REQUIRE(failed);
  CHECK(failed->code == errc::in_use);
  CHECK(failed->message == "cannot listen on " + address + " for clients: it is in use by another process");
  for (const std::string bad : {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:http",
                                "127.0.0.1:-1", "127.0.0.1:80 "}) {
    CAPTURE(bad);
    http_gateway gateway{bad, {}, no_backend()};
    const auto refused = gateway.start();
    REQUIRE(refused);
    CHECK(refused->code == errc::bad_config);
    CHECK(refused->message.find(bad) != std::string::npos);
  }
  // Of another machine, or of none.
  for (const std::string elsewhere : {"192.0.2.1:80", "no-such-host.invalid:80"}) {
    http_gateway gateway{elsewhere, {}, no_backend()};
    const auto refused = gateway.start();
    REQUIRE(refused);
    CHECK(refused->code == errc::io_failed);
    CHECK(refused->message.starts_with("cannot listen on " + elsewhere + " for clients: the "));
  }
}

TEST_CASE("a stopped gateway's port can be bound again at once") {
  std::string address;
  {
    served_gateway node;
    address = "127.0.0.1:" + std::to_string(node.gateway().port());
    REQUIRE(node.client().get("/healthz")->status == 200);
  }
  http_gateway again{address, {}, no_backend()};
  const auto failed = again.start();
  CHECK_MESSAGE(!failed, failed->message);
}

TEST_CASE("on stop, what is in flight is answered and nothing more is taken") {
  served_gateway node{{}, false};
  auto idle = node.client();
  REQUIRE(idle.get("/healthz")->status == 200);
  auto waiting = node.client();
  REQUIRE(waiting.send(http_client::post_text("/append_log", append_text)));
  auto half = node.client();
  // One piece: when the first request is answered, the beginning of the second one has been read too.
  REQUIRE(half.send("GET /healthz HTTP/1.1\r\nHost: n\r\n\r\nPOST /append_log HTTP/1.1\r\nHost: n\r\nContent-Length: 50\r\n\r\n{"));
  REQUIRE(half.receive()->status == 200);
  const auto requests = node.await(1);
  REQUIRE(node.settles([](const http_figures& f) { return f.connections == 3; }));
  std::jthread stopper{[&] { node.gateway().stop(); }};
  CHECK(idle.sees_end());
  const auto refused = half.receive();
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(says(*refused, "shutting_down"));
  node.gateway().answer({served_gateway::index_for(requests[0], 4)});
  const auto reply = waiting.receive();
  REQUIRE(reply);
  CHECK(reply->body == success(4));
  CHECK(reply->header.find("Connection: close\r\n") != std::string::npos);
  CHECK(waiting.sees_end());
  half.disconnect();
  waiting.disconnect();
  stopper.join();
  CHECK_FALSE(http_client{node.gateway().port()}.connected());
  node.gateway().answer({served_gateway::index_for(requests[0], 4)});
}

TEST_CASE("a stop ends in time, even where the backend never answers") {
  served_gateway node{impatient(), false};
  auto client = node.client();
  REQUIRE(client.send(http_client::post_text("/append_log", append_text)));
  node.await(1);
  const auto began = std::chrono::steady_clock::now();
  node.gateway().stop();
  CHECK(std::chrono::steady_clock::now() - began < 3s);
  CHECK(client.sees_end());
}

TEST_CASE("two thousand idle connections cost nobody anything") {
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  REQUIRE(files.rlim_max >= 5000);
  files.rlim_cur = files.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
  served_gateway node;
  std::vector<http_client> idle;
  for (int i = 0; i < 2000; ++i)
    idle.push_back(node.client());
  REQUIRE(node.settles([](const http_figures& f) { return f.connections == 2000; }));
  auto client = node.client();
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < 1000; ++i)
    REQUIRE(client.post("/append_log", append_text)->body == success(i));
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  for (std::size_t i = 0; i < idle.size(); i += 100)
    CHECK(idle[i].get("/healthz")->status == 200);
}

TEST_CASE("many clients and many answering threads get each answer to its asker") {
  std::mutex mutex;
  std::vector<client_request> open;
  http_gateway gateway{"127.0.0.1:0",
                       {},
                       {[&](std::vector<client_request> list) {
                          std::lock_guard lock{mutex};
                          for (auto& request : list)
                            open.push_back(std::move(request));
                        },
                        [] {
                          return http_backend::health_state{true, {}};
                        },
                        [] { return std::string{"{}"}; },
                        {}}};
  REQUIRE_FALSE(gateway.start());
  std::atomic<bool> done{false};
  std::vector<std::thread> answerers;
  for (int i = 0; i < 3; ++i)
    answerers.emplace_back([&] {
      while (!done) {
        std::vector<client_reply> replies;
        {
          std::lock_guard lock{mutex};
          for (auto n = open.size() / 2 + open.size() % 2; n > 0; --n) {
            // The value is the index that its sender wants to see.
            replies.push_back(
                served_gateway::index_for(open.back(), std::stoull(std::string{open.back().body.view()})));
            open.pop_back();
          }
        }
        if (replies.empty())
          std::this_thread::yield();
        else
          gateway.answer(std::move(replies));
      }
    });
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (std::uint64_t c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      http_client client{gateway.port()};
      for (std::uint64_t round = 0; round < 50; ++round) {
        std::string text;
        const auto number = [&](std::uint64_t i) { return c * 1'000'000 + round * 1000 + i; };
        for (std::uint64_t i = 0; i < 10; ++i)
          text += http_client::post_text("/append_log",
                                         R"({"key":"k","value":)" + std::to_string(number(i)) + "}");
        client.send(text);
        for (std::uint64_t i = 0; i < 10; ++i) {
          const auto reply = client.receive();
          if (!reply || !says(*reply, "\"index\":" + std::to_string(number(i)) + ","))
            ++wrong;
        }
      }
    });
  for (auto& thread : clients)
    thread.join();
  done = true;
  for (auto& thread : answerers)
    thread.join();
  CHECK(wrong == 0);
}
