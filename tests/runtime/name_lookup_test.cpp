// Hosts that are given by name.

#include "runtime/name_lookup.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <thread>

namespace {

using namespace quorate;
using namespace std::chrono_literals;
using addresses = std::vector<std::string>;
using clock = std::chrono::steady_clock;

addresses of(const host_addresses& found) {
  const auto* list = std::get_if<addresses>(&found);
  return list ? *list : addresses{std::get<failure>(found).message};
}

/// A name server that answers when it is told to.
struct slow_server {
  std::mutex mutex;
  std::condition_variable changed;
  bool answers = false;
  int asked = 0;
  std::string address = "10.0.0.1";

  name_lookup::resolver resolver() {
    return [this](const std::string&) -> host_addresses {
      std::unique_lock lock{mutex};
      ++asked;
      changed.wait(lock, [&] { return answers; });
      return addresses{address};
    };
  }
  void answer(bool yes) {
    const std::lock_guard lock{mutex};
    answers = yes;
    changed.notify_all();
  }
};

TEST_CASE("an IP address is nobody's business but ours") {
  name_lookup lookup{[](const std::string&) -> host_addresses {
    FAIL("was looked up");
    return addresses{};
  }};
  CHECK(of(lookup.find("127.0.0.1", 0ms)) == addresses{"127.0.0.1"});
  CHECK(of(lookup.find("0:0::1", 0ms)) == addresses{"::1"});
  CHECK(of(lookup.find("localhost", 0ms)) == addresses{"127.0.0.1"});
}

TEST_CASE("a name is looked up anew at each call") {
  slow_server server;
  server.answer(true);
  name_lookup lookup{server.resolver()};
  CHECK(of(lookup.find("n1", 10s)) == addresses{"10.0.0.1"});
  server.address = "10.0.0.2";
  CHECK(of(lookup.find("n1", 10s)) == addresses{"10.0.0.2"});
  CHECK(server.asked == 2);
}

TEST_CASE("a name server that is silent holds nobody up for longer than wanted, and one thread only") {
  slow_server server;
  name_lookup lookup{server.resolver()};
  const auto begin = clock::now();
  for (int i = 0; i < 5; ++i)
    CHECK(of(lookup.find("n1", 20ms))[0].find("not known yet") != std::string::npos);
  CHECK(clock::now() - begin < 5s);
  // What comes late is for the next one who asks.
  server.answer(true);
  CHECK(of(lookup.find("n1", 10s)) == addresses{"10.0.0.1"});
  CHECK(server.asked == 1);
}

TEST_CASE("a name that nobody knows is told with the reason") {
  const auto found = system_lookup().find("no-such-host.invalid", 10s);
  REQUIRE(std::holds_alternative<failure>(found));
  CHECK(std::get<failure>(found).message != "");
}

}  // namespace
