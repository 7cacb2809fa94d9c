#include "actors/links.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace quorate::testing {

namespace {

constexpr role_address acceptor{group_id{0}, epoch_id{1}, port::acceptor};
constexpr role_address learner{group_id{0}, epoch_id{1}, port::learner};

}  // namespace

TEST_CASE("a link drops what comes when its limit is reached, and takes more once that was acknowledged") {
  link l{100};
  CHECK(l.admit(60));
  // More than the limit by one message at most.
  CHECK(l.admit(60));
  CHECK(l.in_flight() == 120);
  CHECK(!l.admit(1));
  CHECK(!l.admit(1));
  CHECK(l.dropped() == 2);
  CHECK(l.in_flight() == 120);
  l.acknowledged(20);
  CHECK(!l.admit(1));
  l.acknowledged(1);
  CHECK(l.admit(1));
  CHECK(l.in_flight() == 100);
}

TEST_CASE("acknowledging more than is in flight leaves none in flight") {
  link l{100};
  CHECK(l.admit(50));
  l.acknowledged(80);
  CHECK(l.in_flight() == 0);
  l.acknowledged(1);
  CHECK(l.in_flight() == 0);
  CHECK(l.admit(10));
}

TEST_CASE("a link without a limit admits everything and counts nothing") {
  link l;
  for (int i = 0; i < 100; ++i)
    CHECK(l.admit(std::size_t{1} << 40));
  CHECK(l.in_flight() == 0);
  CHECK(l.dropped() == 0);
}

TEST_CASE("a link counts what came until it is taken for an acknowledgement") {
  link l{100};
  CHECK(l.received(10) == 10);
  CHECK(l.received(15) == 25);
  CHECK(l.take_received() == 25);
  CHECK(l.take_received() == 0);
  CHECK(l.received(5) == 5);
}

TEST_CASE("a reset forgets handles and what was on its way, but not how much was dropped") {
  link l{100};
  l.add(acceptor, nullptr);
  l.add(learner, nullptr);
  CHECK(l.handles().size() == 2);
  CHECK(l.admit(100));
  CHECK(!l.admit(1));
  CHECK(l.received(7) == 7);
  l.reset();
  CHECK(l.handles().empty());
  CHECK(l.find(acceptor) == nullptr);
  CHECK(l.in_flight() == 0);
  CHECK(l.take_received() == 0);
  CHECK(l.dropped() == 1);
  // What the earlier connection still acknowledges does not count for the new one.
  CHECK(l.admit(10));
  l.acknowledged(1'000);
  CHECK(l.in_flight() == 0);
}

TEST_CASE("counts hold with many threads at once") {
  link l{1'000'000'000};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        static_cast<void>(l.admit(3));
        l.acknowledged(2);
        static_cast<void>(l.received(1));
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(l.in_flight() == 40'000);
  CHECK(l.take_received() == 40'000);
}

TEST_CASE("a node has a link to every node of the spec; its own has no limit") {
  const links all{node_id{1}, {node_id{1}, node_id{2}, node_id{3}}, 10};
  CHECK(all.self() == node_id{1});
  REQUIRE(all.find(node_id{2}));
  CHECK(all.find(node_id{4}) == nullptr);
  CHECK(all.find(node_id{1}) == &all.own());
  CHECK(all.find(node_id{2})->admit(10));
  CHECK(!all.find(node_id{2})->admit(1));
  CHECK(all.find(node_id{3})->admit(1));
  for (int i = 0; i < 3; ++i)
    CHECK(all.own().admit(1'000));
  // A spec of the others only has a link to itself all the same.
  const links alone{node_id{1}, {node_id{2}}, 10};
  CHECK(alone.own().admit(1'000));
}

}  // namespace quorate::testing
