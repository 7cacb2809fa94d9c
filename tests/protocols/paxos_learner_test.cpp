#include "protocols/paxos/learner.hpp"

#include "tests/protocols/paxos_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;
using paxos::learner;
using desk = role_desk<learner>;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Slot `s` is chosen, the bytes come from the acceptor beside us.
std::string chosen(desk& l, px::slot s) {
  const ballot b{1, n1};
  return l.on(n2, accepted(s, b, batch_of(n1, s))) + l.on(n1, accepted(s, b, batch_of(n1, s), true));
}

}  // namespace

TEST_CASE("a batch is chosen when a majority voted for it at one ballot, and is delivered with its bytes") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(l.on(n2, accepted(1, {1, n1}, batch_of(n1, 1))) == "set_timer 1 10000us");
  CHECK(l.on(n2, accepted(1, {1, n1}, batch_of(n1, 1))) == "");  // twice from one member
  CHECK(l.on(n3, accepted(1, {2, n3}, batch_of(n1, 1))) == "");  // at another ballot
  CHECK(l.on(n1, accepted(1, {1, n1}, batch_of(n1, 1), true)) ==
        "send n1 Decided{slot: 1 value { id { node: 1 boot: 1 number: 1 } }}\n"
        "send n1 delivered{n1.1.1 at 1}");
  CHECK(l.on(n3, accepted(1, {1, n1}, batch_of(n1, 1))) == "");
  CHECK(l.role.next() == 2);
}

TEST_CASE("slots are delivered in order, without gaps, no-ops are skipped") {
  memory_journal disk;
  desk l{disk, context_of(3, n1, 10)};
  CHECK(!has(chosen(l, 13), "delivered"));
  l.on(n1, accepted(12, {1, n2}, noop_of(n2, 5)));
  l.on(n2, accepted(12, {1, n2}, noop_of(n2, 5)));
  const auto text = chosen(l, 11);
  CHECK(has(text, "delivered{n1.1.11 at 11}\nsend n1 delivered{n1.1.13 at 13}"));
  CHECK(l.role.next() == 14);
  CHECK(l.on(n2, accepted(9, {1, n1}, batch_of(n1, 1))) == "");
}

TEST_CASE("a chosen batch whose bytes are missing is asked for from who voted for it") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.on(n2, accepted(1, {1, n2}, batch_of(n2, 1)));
  CHECK(!has(l.on(n3, accepted(1, {1, n2}, batch_of(n2, 1))), "delivered"));
  l.pass(10ms);
  const auto text = l.tick();
  CHECK(has(text, "send n2,n3 Ask{from: 1 to: 1}\nsend n1 Ask{from: 1 to: 1 bodies: true}\nsend n"));
  CHECK((has(text, "send n2 Ask{from: 1 to: 1 bodies: true}") ||
         has(text, "send n3 Ask{from: 1 to: 1 bodies: true}")));
  CHECK(has(l.on(n3, accepted(1, {1, n2}, batch_of(n2, 1), true)), "delivered{n2.1.1 at 1}"));
}

TEST_CASE("bytes are asked for soon after the choice, from one that is heard, however long the slot was held up") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  // Asked for again and again, further and further apart.
  l.on(n2, accepted(1, {1, n2}, batch_of(n2, 1)));
  for (int i = 0; i < 40; ++i) {
    l.pass(10ms);
    l.tick();
  }
  l.on(n3, accepted(1, {2, n2}, batch_of(n2, 1)));
  l.pass(60ms);
  l.tick();
  l.on(n2, accepted(1, {2, n2}, batch_of(n2, 1)));
  std::string all;
  for (int i = 0; i < 10; ++i) {
    l.pass(10ms);
    l.on(n2, accepted(1, {2, n2}, batch_of(n2, 1)));
    all += l.tick();
    if (i == 1)
      CHECK(has(all, "send n2 Ask{from: 1 to: 1 bodies: true}"));
  }
  CHECK(!has(all, "send n3 Ask{from: 1 to: 1 bodies: true}"));
}

TEST_CASE(
    "a slot that is held up is asked about, then taken over after 20 to 50 ms; only where it is in use") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  chosen(l, 3);  // slots 1 and 2 are holes below it
  std::string all;
  duration first{};
  for (duration waited = 5ms; waited <= 60ms; waited += 5ms) {
    l.pass(5ms);
    const auto text = l.tick();
    all += text;
    if (first == 0ms && has(text, "Takeover"))
      first = waited;
  }
  CHECK(has(all, "send n2,n3 Ask{from: 1 to: 3}"));
  CHECK(has(all, "Takeover{slot: 1}\nsend n1 Takeover{slot: 2}"));
  CHECK(!has(all, "Takeover{slot: 3}"));
  CHECK(!has(all, "Takeover{slot: 4}"));
  CHECK(first >= 20ms);
  CHECK(first <= 55ms);
}

TEST_CASE("nothing is asked or taken over while nothing is in use") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  chosen(l, 1);
  l.pass(500ms);
  CHECK(l.tick() == "");
}

TEST_CASE("a last vote that was lost is noticed from another member's position") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(l.on(n2, position(2, 1)) == "send_now n1 InUse{slot: 1}\nset_timer 1 10000us");
  l.pass(10ms);
  CHECK(has(l.tick(), "Ask{from: 1 to: 1}"));
}

TEST_CASE("positions are told at the start, while there is news, then once a second; who is ahead answers") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(has(
      l.start(),
      "send n2,n3 Position{next: 1}\nset_timer 2 100000us\nsend n1,n2,n3 BarrierQuery{token: 1 boot: 1}"));
  CHECK(l.tick(2) == "send n2,n3 Position{next: 1}\nset_timer 2 100000us");
  l.pass(3s);
  CHECK(has(l.tick(2), "set_timer 2 1000000us"));
  chosen(l, 1);
  CHECK(l.on(n3, position(1, 0)) == "send n3 Position{next: 2 highest_used: 1}");
  CHECK(l.on(n3, position(2, 1)) == "");
  CHECK(l.on(n3, position(0, 0)) == "");  // nonsense
}

TEST_CASE(
    "who is too far behind, or needs what is forgotten, calls for sync, and not more than every 200 ms") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(!has(l.on(n2, position(1 + px::learner_limits{}.behind_max, 0)), "fell_behind"));
  CHECK(has(l.on(n2, position(2 + px::learner_limits{}.behind_max, 0)), "send n1 fell_behind{}"));
  l.pass(100ms);
  CHECK(!has(l.tick(), "fell_behind"));
  CHECK(!has(l.tick(), "Ask"));
  l.pass(100ms);
  CHECK(has(l.tick(), "fell_behind"));
  // The one that was ahead is gone: nobody can help, so it asks and takes over after all.
  l.pass(4s);
  CHECK(has(l.tick(), "Ask"));

  desk m{disk, context_of(3)};
  CHECK(has(m.on(n2, forgotten(5)), "fell_behind"));
  CHECK(has(m.on(n1, fast_forward{cursor{5}, 1}), "send n1 Advanced{slot: 5}"));
  m.pass(500ms);
  CHECK(!has(m.tick(), "fell_behind"));
  CHECK(!has(m.on(n2, forgotten(5)), "fell_behind"));
}

TEST_CASE("where sync does not help, and a majority has the votes, a learner that is behind asks and takes over") {
  memory_journal disk;
  for (const std::uint32_t forgetful : {1, 2}) {
    desk l{disk, context_of(3)};
    for (std::uint32_t n = 0; n < forgetful; ++n)
      l.on(node_id{2 + n}, forgotten(5));
    std::string soon;
    for (int i = 0; i < 40; ++i) {
      l.pass(10ms);
      soon += l.tick();
    }
    CHECK(!has(soon, "Ask"));
    std::string late;
    for (int i = 0; i < 40; ++i) {
      l.pass(10ms);
      late += l.tick();
    }
    CHECK(has(late, "Ask{from: 1 to: 5}") == (forgetful == 1));
    CHECK(has(late, "Takeover{slot: 1}") == (forgetful == 1));
    CHECK(has(late, "fell_behind"));  // whoever can is still to help
  }
}

TEST_CASE("a fast-forward goes on behind its cursor, with its generation, even when that is further back") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(l.on(n2, fast_forward{cursor{4}, 1}) == "");  // not from our replica
  chosen(l, 7);
  CHECK(has(l.on(n1, fast_forward{cursor{6}, 1}), "delivered{n1.1.7 at 7}"));
  CHECK(l.role.next() == 8);
  // What was delivered beyond 5 is void for the replica: it must come again.
  l.on(n1, fast_forward{cursor{5}, 2});
  CHECK(l.role.next() == 6);
  l.pass(10ms);
  CHECK(has(l.tick(), "Ask{from: 6 to: 7}"));
  CHECK(has(chosen(l, 6), "delivered{n1.1.6 at 6}"));
  CHECK(has(chosen(l, 7), "delivered{n1.1.7 at 7}"));
}

TEST_CASE("a barrier is reached when everything that a majority knows of is delivered") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  CHECK(has(l.on(n1, barrier{token{9}}), "send n1,n2,n3 BarrierQuery{token: 1 boot: 1}"));
  CHECK(l.on(n2, barrier_reply(1, 2)) == "");
  CHECK(l.on(n2, barrier_reply(1, 2)) == "");     // twice from one member
  CHECK(l.on(n3, barrier_reply(1, 2, 8)) == "");  // asked by an earlier boot
  l.pass(20ms);
  CHECK(has(l.tick(), "send n1,n3 BarrierQuery{token: 1 boot: 1}"));
  CHECK(!has(l.on(n3, barrier_reply(1, 1)), "reached"));
  CHECK(!has(chosen(l, 1), "reached"));
  CHECK(has(chosen(l, 2), "delivered{n1.1.2 at 2}\nsend n1 reached{9}"));
  // Nothing is outstanding: reached at once.
  l.on(n1, barrier{token{10}});
  l.on(n1, barrier_reply(2, 2));
  CHECK(l.on(n2, barrier_reply(2, 2)) == "send n1 reached{10}");
}

TEST_CASE("a barrier counts as news of slots: holes below it are taken over") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.on(n1, barrier{token{9}});
  l.on(n2, barrier_reply(1, 2));
  l.on(n3, barrier_reply(1, 0));
  std::string all;
  for (int i = 0; i < 12; ++i) {
    l.pass(5ms);
    all += l.tick();
  }
  CHECK(has(all, "Takeover{slot: 1}\nsend n1 Takeover{slot: 2}"));
}

TEST_CASE("a fast-forward voids open barriers") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.on(n1, barrier{token{9}});
  l.on(n1, fast_forward{cursor{3}, 1});
  l.on(n1, barrier_reply(1, 0));
  CHECK(l.on(n2, barrier_reply(1, 0)) == "");
}

TEST_CASE("what is too far above is not listened to, and bytes are bounded") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("learner.bodies_bytes_max", 3);
  desk l{disk, context};
  // Nothing but that the slots before it are wanted.
  CHECK(chosen(l, 1 + px::learner_limits{}.window_max) == "set_timer 1 10000us");
  // Room for one batch of two bytes beside the next one: the furthest gives way, and is asked for later.
  chosen(l, 3);
  chosen(l, 2);
  CHECK(l.role.next() == 1);
  CHECK(has(chosen(l, 1), "delivered{n1.1.1 at 1}"));
  const auto next = l.role.next();
  CHECK(next < 4);
  l.pass(10ms);
  CHECK(has(l.tick(), "Ask{from: " + std::to_string(next) + " to: "));
  std::string all;
  for (auto s = next; s <= 3; ++s)
    all += l.on(n1, accepted(s, {1, n1}, batch_of(n1, s), true));
  CHECK(has(all, "delivered{n1.1.3 at 3}"));
}

TEST_CASE("a single member learns from itself") {
  memory_journal disk;
  desk l{disk, context_of(1)};
  CHECK(l.start() == "set_timer 2 100000us\nsend n1 BarrierQuery{token: 1 boot: 1}\nset_timer 1 10000us");
  CHECK(has(l.on(n1, accepted(1, {1, n1}, batch_of(n1, 1), true)), "delivered{n1.1.1 at 1}"));
}

}  // namespace quorate::testing
