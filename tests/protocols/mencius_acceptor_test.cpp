#include "protocols/mencius/acceptor.hpp"

#include "tests/protocols/mencius_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using desk = role_desk<mencius::acceptor>;

me::Saved saved(std::uint64_t count) {
  me::Saved m;
  m.set_count(count);
  return m;
}

me::Recall recall(me::lane l) {
  me::Recall m;
  m.set_lane(l);
  m.set_to(30);
  m.set_bodies(true);
  return m;
}

}  // namespace

TEST_CASE("an acceptor of mencius saves its vote, and tells it only when the disk has said so") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  const auto text = a.on(n2, suggest(1, batch_number(n2, 1), 1));
  CHECK(has(text, "save v"));
  CHECK(has(text, "send n1 Saved{count: 1}"));
  CHECK(has(text, "send_now n1 Body{slot: 1"));
  CHECK(!has(text, "Votes"));
  CHECK(
      has(a.on(n1, saved(1)), "send_now n2 Votes{high: 2 slots { slot: 1 id { node: 2 boot: 1 number: 1 }"));
  // Only the owner suggests.
  CHECK(a.on(n3, suggest(4, batch_number(n3, 1), 4)) == "");
}

TEST_CASE(
    "members that order nothing are told of the votes for another one's batches a little later, together") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  a.on(n2, suggest(1, batch_number(n2, 1), 1));
  const auto first = a.on(n1, saved(1));
  CHECK(has(first, "send_now n2 Votes{"));
  CHECK(has(first, "set_timer"));
  a.on(n2, suggest(4, batch_number(n2, 2), 4));
  const auto second = a.on(n1, saved(2));
  CHECK(has(second, "send_now n2 Votes{high: 5 slots { slot: 4"));
  CHECK(!has(second, "set_timer"));
  a.on(n2, suggest(7, batch_number(n2, 3), 7));  // not durable yet
  const auto later = a.tick();
  CHECK(has(later, "send_now n1,n3 Votes{"));
  CHECK(has(later, "slots { slot: 1 "));
  CHECK(has(later, "slots { slot: 4 "));
  CHECK(!has(later, "slot: 7"));
  CHECK(a.tick() == "");
}

TEST_CASE("who orders commands, reads, or must see a revocation, is told every vote at once") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  a.on(n2, suggest(1, batch_number(n2, 1), 1));
  CHECK(!has(a.on(n1, saved(1)), "n3"));
  // What it was not told yet comes before the answer that makes it wait for it.
  me::BarrierQuery query;
  query.set_token(1);
  const auto asked = a.on(n3, query);
  const auto told = asked.find("send_now n3 Votes{high: 2 slots { slot: 1 ");
  CHECK(told < asked.find("send_now n3 BarrierReply{"));
  a.on(n2, suggest(4, batch_number(n2, 2), 4));
  CHECK(has(a.on(n1, saved(2)), "send_now n2,n3 Votes{high: 5 slots { slot: 4 "));
  a.pass(std::chrono::milliseconds{10});
  a.on(n2, suggest(7, batch_number(n2, 3), 7));
  CHECK(!has(a.on(n1, saved(3)), "n3"));
  // It suggests: with its own batch it is told what it lacks.
  a.on(n3, suggest(8, batch_number(n3, 1), 2));
  const auto both = a.on(n1, saved(4));
  CHECK(has(both, "send_now n3 Votes{high: 9 slots { slot: 7 "));
  CHECK(has(both, "slots { slot: 8 "));
  a.pass(std::chrono::milliseconds{10});
  a.on(n3, accept_noops(1, 10, 31, {2, n3}));
  const auto revoked = a.on(n1, saved(5));
  for (const auto* whom : {"n1", "n2", "n3"})
    CHECK(has(revoked, whom));
  CHECK(has(revoked, "noops { lane: 1 from: 10 to: 31"));
}

TEST_CASE("what is promised over a range is refused to lower ballots in any slot of it, a range as a whole") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  CHECK(has(a.on(n3, prepare_lane(1, 4, 100, {5, n3})), "send n3 Promise{ballot { round: 5 node: 3 }"));
  CHECK(has(a.on(n2, suggest(7, batch_number(n2, 1), 7)),
            "send_now n2 Nack{lane: 1 promised { round: 5 node: 3 } to: 100"));
  CHECK(has(a.on(n1, prepare_lane(1, 1, 5, {4, n1})), "send_now n1 Nack"));
  CHECK(has(a.on(n1, accept_noops(1, 1, 200, {4, n1})), "send_now n1 Nack"));
  CHECK(has(a.on(n1, accept_batch(97, {4, n1}, batch_number(n2, 9))), "send_now n1 Nack"));
  // Other lanes, and slots beyond, are free.
  CHECK(has(a.on(n3, suggest(5, batch_number(n3, 1), 5)), "save v"));
  CHECK(has(a.on(n2, suggest(100, batch_number(n2, 2), 10)), "save v"));
}

TEST_CASE("a promise tells of all votes in its range, no-ops included, and a vote is a promise, after a "
          "restart too") {
  memory_journal disk;
  {
    desk a{disk, context_of(3)};
    a.on(n2, suggest(1, batch_number(n2, 1), 1));
    a.on(n3, accept_noops(1, 1, 31, {2, n3}, {1}));
  }
  desk a{disk, context_of(3)};
  CHECK(has(a.on(n1, prepare_lane(1, 1, 4, {1, n1})), "Nack"));
  CHECK(has(a.on(n2, suggest(4, batch_number(n2, 2), 4)), "Nack"));
  const auto text = a.on(n1, prepare_lane(1, 1, 31, {3, n1}));
  CHECK(has(text, "slots { slot: 1 id { node: 2 boot: 1 number: 1 }"));
  CHECK(has(text, "noops { lane: 1 from: 4 to: 31 ballot { round: 2 node: 3 } }"));
  CHECK(has(text, "send n1 Found{ballot { round: 3 node: 1 } slot: 1"));
  // The same suggestion gets the same vote, though it is under a promise now.
  CHECK(has(a.on(n2, suggest(1, batch_number(n2, 1), 1)), "send n1 Saved"));
}

TEST_CASE("below the floor nothing is promised, and the floor outlives a restart") {
  memory_journal disk;
  {
    desk a{disk, context_of(3)};
    a.on(n2, suggest(1, batch_number(n2, 1), 1));
    CHECK(has(a.on(n1, forget{cursor{2}}), "save f"));
    CHECK(a.on(n2, forget{cursor{9}}) == "");
  }
  desk a{disk, context_of(3)};
  CHECK(a.on(n3, prepare_lane(1, 1, 100, {1, n3})) == "send n3 Forgotten{floor: 2}");
  CHECK(a.on(n2, suggest(1, batch_number(n2, 1), 1)) == "send n2 Forgotten{floor: 2}");
  CHECK(has(a.on(n3, prepare_lane(1, 4, 100, {1, n3})), "send n3 Promise"));
  me::BarrierQuery query;
  query.set_token(7);
  query.set_boot(3);
  CHECK(a.on(n3, query) == "send_now n3 BarrierReply{token: 7 boot: 3 high: 2}");
}

TEST_CASE("the claim of the owner beside it rides with the votes, or goes alone") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  me::OwnClaim claim;
  *claim.mutable_claim() = claim_of(0, 0, 30).claim();
  CHECK(a.on(n2, claim) == "");
  CHECK(has(a.on(n1, claim), "send_now n1,n2,n3 Votes{claim { upto: 30 }}"));
  a.on(n2, suggest(1, batch_number(n2, 1), 1));
  claim.mutable_claim()->set_upto(60);
  CHECK(!has(a.on(n1, claim), "Votes"));
  CHECK(has(a.on(n1, saved(1)), "claim { upto: 60 } slots { slot: 1"));
}

TEST_CASE("of many batches asked for at once all are read, also where the disk is read one by one") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("acceptor.recent_bytes_max", 0);
  context.limits.set("acceptor.reads_max", 1);
  desk a{disk, context};
  a.on(n1, suggest(0, batch_number(n1, 1), 0));
  a.on(n2, suggest(1, batch_number(n2, 1), 1));
  a.on(n3, suggest(2, batch_number(n3, 1), 2));
  // Always in this order, as a learner asks.
  CHECK(has(a.on(n2, recall(0)), "read"));
  CHECK(!has(a.on(n2, recall(1)), "read"));
  CHECK(!has(a.on(n2, recall(2)), "read"));
  CHECK(!has(a.on(n2, recall(2)), "read"));  // once is enough
  auto text = a.rows(a.wanted());
  CHECK(has(text, "send n2 Body{id { node: 1 boot: 1 number: 1 }}+2"));
  CHECK(has(text, "read"));
  text = a.rows(a.wanted());
  CHECK(has(text, "send n2 Body{slot: 1"));
  CHECK(has(text, "read"));
  text = a.rows(a.wanted());
  CHECK(has(text, "send n2 Body{slot: 2"));
  CHECK(!has(text, "read"));
}

TEST_CASE("a revoker gets the bytes of every batch that a promise tells of, however many those are") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("acceptor.bodies_max", 1);
  desk a{disk, context};
  for (const me::slot s : {1, 4, 7})
    a.on(n2, suggest(s, batch_number(n2, s), s));
  a.pass(std::chrono::milliseconds{10});  // lately the lane has not moved
  auto text = a.on(n3, prepare_lane(1, 0, 30, {1, n3}));
  CHECK(has(text, "Found{ballot { round: 1 node: 3 } slot: 1 "));
  CHECK(!has(text, "slot: 4 id { node: 2 boot: 1 number: 4 }} "));
  REQUIRE(has(text, "read"));
  text = a.rows(a.wanted());
  CHECK(has(text, "Found{ballot { round: 1 node: 3 } slot: 4 "));
  CHECK(has(text, "Found{ballot { round: 1 node: 3 } slot: 7 "));
  // A read that was cut goes on as well.
  text = a.on(n3, prepare_lane(1, 0, 30, {2, n3}));
  auto cut = a.wanted();
  cut.rows.resize(1);
  cut.complete = false;
  text = a.rows(std::move(cut));
  CHECK(has(text, "Found{ballot { round: 2 node: 3 } slot: 4 "));
  CHECK(has(text, "Found{ballot { round: 2 node: 3 } slot: 7 "));
}

TEST_CASE("a claim does not wait for a slow disk") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  me::OwnClaim claim;
  *claim.mutable_claim() = claim_of(0, 0, 30).claim();
  a.on(n2, suggest(1, batch_number(n2, 1), 1));
  CHECK(has(a.on(n1, claim), "timer 2"));
  a.pass(std::chrono::milliseconds{3});
  CHECK(has(a.tick(2), "send_now n1,n2,n3 Votes{high: 2 claim { upto: 30 }}"));
  a.pass(std::chrono::milliseconds{50});
  a.on(n1, saved(1));
  // From now on the disk is known to be slow.
  a.on(n2, suggest(4, batch_number(n2, 2), 4));
  claim.mutable_claim()->set_upto(60);
  CHECK(has(a.on(n1, claim), "send_now n1,n2,n3 Votes{high: 5 claim { upto: 60 }}"));
}

TEST_CASE("whose lane has moved lately is not revoked by one who has not heard of it, but told") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  // n2 is heard here all the time, and its lane does not move: no reason to keep anybody from revoking it.
  me::BarrierQuery heartbeat;
  heartbeat.set_token(1);
  a.on(n2, heartbeat);
  CHECK(has(a.on(n3, prepare_lane(1, 1, 100, {1, n3})), "send n3 Promise"));
  a.on(n2, suggest(100, batch_number(n2, 1), 100));
  const auto told = a.on(n3, prepare_lane(1, 100, 200, {2, n3}));
  CHECK(has(told, "send_now n3 Nack{lane: 1 ballot { round: 2 node: 3 } high: 101 moved: 101}"));
  CHECK(has(told, "send n3 Votes{high: 101 slots { slot: 100 "));
  CHECK(has(told, "send_now n1 Tell{node: 3 from: 100}"));
  CHECK(!has(told, "save"));
  // Behind all that is known here there is nothing to tell; the owner asks for its own; and a suggestion that comes
  // again moves nothing.
  CHECK(has(a.on(n3, prepare_lane(1, 103, 200, {3, n3})), "send n3 Promise"));
  CHECK(has(a.on(n2, prepare_lane(1, 100, 200, {4, n2})), "send n2 Promise"));
  a.pass(std::chrono::milliseconds{10});
  a.on(n2, suggest(100, batch_number(n2, 1), 100));
  CHECK(has(a.on(n3, prepare_lane(1, 100, 200, {5, n3})), "send n3 Promise"));
  // Nor is it told where what is known here does not help it: slot 103 was lost on its way.
  a.on(n2, suggest(106, batch_number(n2, 3), 106));
  CHECK(has(a.on(n3, prepare_lane(1, 103, 200, {6, n3})), "send n3 Promise"));
  // What only the learner has heard counts as well.
  me::Moved moved;
  moved.set_lane(1);
  moved.set_upto(400);
  moved.set_patience(40'000'000);
  moved.set_front(400);
  a.on(n1, moved);
  a.pass(std::chrono::milliseconds{19});
  CHECK(has(a.on(n3, prepare_lane(1, 103, 500, {7, n3})), "moved: 400"));
  a.pass(std::chrono::milliseconds{1});
  CHECK(has(a.on(n3, prepare_lane(1, 103, 500, {8, n3})), "send n3 Promise"));
  // A lane that moves on and on keeps nobody off for longer than one patience.
  std::string all;
  for (me::slot step = 1; step <= 10; ++step) {
    moved.set_upto(600 + step * 30);
    moved.set_front(600 + step * 30);
    a.on(n1, moved);
    all += a.on(n3, prepare_lane(1, 502, 2000, {10 + step, n3}));
    a.pass(std::chrono::milliseconds{10});
  }
  CHECK(has(all, "moved: 630"));
  CHECK(has(all, "send n3 Promise"));
}

}  // namespace quorate::testing
