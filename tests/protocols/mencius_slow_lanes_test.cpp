#include "protocols/mencius/lane_watch.hpp"
#include "protocols/mencius/slow_lanes.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace quorate;
using namespace quorate::mencius;
using namespace std::chrono_literals;

namespace {

using turn = lane_watch::turn;

constexpr duration round_time = 1ms;

/// Batches wait one after the other for lane 1, as long as said, then for nobody, until `every` is over.
std::optional<lane> told(slow_lanes& watched, duration wait, duration every, int times, time_point& now) {
  for (int i = 0; i < times; ++i) {
    const auto at = static_cast<slot>(now.count());
    watched.waits(at, 1, now);
    const auto first = watched.slowest(now);
    watched.goes_on(at, round_time, now + wait);
    now += every;
    if (first)
      return first;
  }
  return std::nullopt;
}

lanes three() {
  return lanes{{node_id{1}, node_id{2}, node_id{3}}};
}

}  // namespace

TEST_CASE("an owner that makes every batch late is slow, however few there are") {
  slow_lanes watched{3};
  time_point now = 1s;
  CHECK(told(watched, 3ms, 500ms, 30, now) == lane{1});
}

TEST_CASE("an owner that makes one batch in a hundred late is slow where that costs half of the time") {
  slow_lanes watched{3};
  time_point now = 1s;
  std::optional<lane> slow;
  for (int i = 0; i < 10 && !slow; ++i) {
    slow = told(watched, 0ms, 100us, 100, now);
    if (!slow)
      slow = told(watched, 40ms, 40ms, 1, now);
  }
  CHECK(slow == lane{1});
}

TEST_CASE("an owner that is late now and then is not slow") {
  slow_lanes watched{3};
  time_point now = 1s;
  for (int i = 0; i < 200; ++i) {
    CHECK(told(watched, 0ms, 100us, 300, now) == std::nullopt);
    CHECK(told(watched, 10ms, 10ms, 1, now) == std::nullopt);
  }
}

TEST_CASE("who stood still itself blames nobody") {
  slow_lanes watched{3};
  time_point now = 1s;
  for (int i = 0; i < 100; ++i) {
    const auto at = static_cast<slot>(i);
    watched.waits(at, 1, now);
    CHECK(watched.slowest(now) == std::nullopt);
    now += 45ms;
    watched.absent(45ms, now);
    watched.goes_on(at, round_time, now);
    now += 5ms;
  }
}

TEST_CASE("who stood still itself hears the others out before it counts them as dead") {
  lane_watch watch{three(), node_id{1}, 20ms};
  prng random{1};
  time_point now = 1s;
  watch.start(now);
  // Lane 1 is wanted, and in the way; then this member is frozen for ten seconds.
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
  now += 10s;
  watch.absent(10s, now);
  CHECK_FALSE(watch.silent(1, now));
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
  watch.heard(node_id{3}, now);
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
  // One chance, not one after each pause: it may stand still again and again, and the owner be dead.
  now += 30ms;
  watch.absent(20ms, now);
  watch.heard(node_id{3}, now);
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::yes);
}

TEST_CASE("who hears no majority revokes nothing, and has patience again once it does") {
  lane_watch watch{three(), node_id{1}, 20ms};
  prng random{1};
  time_point now = 1s;
  watch.start(now);
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
  for (int i = 0; i < 200; ++i) {
    now += 5ms;
    CHECK(watch.due(1, 10, 20, false, now, random) != turn::yes);
  }
  // Also not what it would at once: who is silent here may be heard by all others.
  CHECK(watch.silent(1, now));
  CHECK(watch.due(1, 15, 20, true, now, random) == turn::listen);
  CHECK(watch.heard(node_id{3}, now) == 1s);
  CHECK(watch.due(1, 15, 20, false, now, random) == turn::no);
  now += 19ms;
  watch.heard(node_id{3}, now);
  CHECK(watch.due(1, 15, 20, false, now, random) == turn::no);
  now += 1ms;
  CHECK(watch.due(1, 15, 20, false, now, random) == turn::yes);
}

TEST_CASE("who was cut off for long complains again of who is slow, within a few windows") {
  slow_lanes slow{3};
  time_point now = 1s;
  slow.absent(10min, now);
  std::optional<lane> found;
  for (slot at = 0; at < 200 && !found; ++at) {
    slow.waits(at, 1, now);
    now += 10ms;
    slow.goes_on(at, 2ms, now);
    found = slow.slowest(now);
  }
  CHECK(found == lane{1});
  // By what was lost alone too: a long wait now and then.
  slow_lanes other{3};
  other.absent(10min, now);
  found.reset();
  for (slot at = 0; at < 40 && !found; ++at) {
    for (slot quick = 0; quick < 40; ++quick) {
      other.waits(at * 100 + quick, 2, now);
      other.goes_on(at * 100 + quick, 2ms, now);
    }
    other.waits(at * 100 + 50, 1, now);
    now += 150ms;
    other.goes_on(at * 100 + 50, 2ms, now);
    found = other.slowest(now);
  }
  CHECK(found == lane{1});
}

TEST_CASE("an owner that only this member does not hear is not dead, and its lane is waited for again") {
  lane_watch watch{three(), node_id{1}, 20ms};
  prng random{1};
  time_point now = 1s;
  watch.start(now);
  for (int i = 0; i < 200; ++i) {
    now += 5ms;
    watch.heard(node_id{3}, now);
    if (i % 4 == 0)
      watch.moved(1, now);
    CHECK_FALSE(watch.silent(1, now));
  }
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
  now += 40ms;
  watch.heard(node_id{3}, now);
  watch.refused(1, now);
  CHECK(watch.due(1, 10, 20, false, now, random) == turn::no);
}
