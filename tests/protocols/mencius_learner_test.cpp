#include "protocols/mencius/learner.hpp"

#include "tests/protocols/mencius_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using desk = role_desk<mencius::learner>;

const batch_id first = batch_number(n1, 1);
const batch_id second = batch_number(n2, 1);

}  // namespace

TEST_CASE("a learner of mencius delivers what a majority voted for, once its bytes are there") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.start();
  CHECK(!has(l.on(n1, votes({slot_vote(0, {}, first)})), "delivered"));
  CHECK(!has(l.on(n1, votes({slot_vote(0, {}, first)})), "Decided"));  // the same voter counts once
  CHECK(has(l.on(n3, votes({slot_vote(0, {}, first)})), "send n1 Decided{"));
  // Slot 0 is the lowest: nothing of the other lanes lies below it.
  CHECK(has(l.on(n1, body(0, first)), "delivered"));
  CHECK(l.role.next() == 1);
}

TEST_CASE("a batch waits for every lane below it: for a batch, a claim, or the chain of suggestions") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.start();
  // Slot 4 is n2's; below it lie 0 and 3 of n1, 1 of n2, and 2 of n3.
  l.on(n2, body(4, second));
  l.on(n2, votes({slot_vote(4, {}, second, 1)}));  // n2 has skipped 1
  CHECK(!has(l.on(n3, votes({slot_vote(4, {}, second, 1)})), "delivered"));
  CHECK(!has(l.on(n1, claim_of(0, 0, 30)), "delivered"));
  CHECK(has(l.on(n3, claim_of(2, 2, 5)), "delivered"));
  CHECK(l.role.next() == 5);
}

TEST_CASE("a claim that begins behind a slot says nothing about it") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.start();
  l.on(n2, body(4, second));
  l.on(n2, votes({slot_vote(4, {}, second, 1)}));
  l.on(n3, votes({slot_vote(4, {}, second, 1)}));
  l.on(n3, claim_of(2, 2, 30));
  CHECK(!has(l.on(n1, claim_of(0, 3, 30)), "delivered"));
  CHECK(has(l.on(n1, claim_of(0, 0, 3)), "delivered"));
}

TEST_CASE("the bytes of a chosen batch are asked for from who is heard") {
  memory_journal disk;
  desk l{disk, context_of(3, n2)};
  l.start();
  l.on(n1, votes({slot_vote(0, {}, first)}));
  std::string all;
  for (int i = 0; i < 300; ++i) {
    l.pass(std::chrono::milliseconds{10});
    all += l.on(n3, votes({slot_vote(0, {}, first)}));
    const auto asked = l.tick();
    if (i >= 10)  // by then n1 has not been heard for long
      all += asked;
  }
  CHECK(has(all, "send n3 Recall{to: 1 bodies: true}"));
  CHECK(!has(all, "send n1 Recall{to: 1 bodies: true}"));
}

TEST_CASE("what holds up delivery is asked about, and then revoked by the member behind its owner") {
  memory_journal disk;
  desk l{disk, context_of(3, n2)};
  l.start();
  l.on(n3, body(2, batch_number(n3, 1)));
  l.on(n2, votes({slot_vote(2, {}, batch_number(n3, 1), 2)}));
  l.on(n3, votes({slot_vote(2, {}, batch_number(n3, 1), 2)}));
  l.on(n2, claim_of(1, 1, 30));
  std::string text;
  for (int i = 0; i < 8; ++i) {
    l.pass(std::chrono::milliseconds{5});
    text += l.tick();
  }
  CHECK(has(text, "Ask{"));
  // Whoever hears no majority may be the one that is cut off.
  CHECK(!has(text, "Revoke"));
  for (int i = 0; i < 6; ++i) {
    l.pass(std::chrono::milliseconds{5});
    l.on(n3, votes({}));
    text += l.tick();
  }
  CHECK(has(text, "send n2 Revoke{to: "));  // lane 0, from slot 0
}

TEST_CASE("an answer to a barrier of an earlier boot counts for nothing") {
  memory_journal disk;
  desk l{disk, context_of(3)};
  l.start();
  CHECK(has(l.on(n1, barrier{token{9}}), "send n1,n2,n3 BarrierQuery{token: 2 boot: 1"));
  me::BarrierReply reply;
  reply.set_token(2);
  reply.set_boot(7);
  CHECK(l.on(n2, reply) == "");
  CHECK(l.on(n3, reply) == "");
  reply.set_boot(1);
  CHECK(l.on(n2, reply) == "");
  CHECK(has(l.on(n3, reply), "reached"));
}

TEST_CASE("where sync does not help, and a majority has the votes, a learner that is behind asks and revokes") {
  memory_journal disk;
  for (const std::uint32_t forgetful : {1, 2}) {
    desk l{disk, context_of(3)};
    l.start();
    me::Votes seen;
    seen.set_high(9);
    l.on(n3, seen);
    me::Forgotten gone;
    gone.set_floor(5);
    for (std::uint32_t n = 0; n < forgetful; ++n)
      l.on(node_id{2 + n}, gone);
    const auto for_400_ms = [&] {
      std::string all;
      for (int i = 0; i < 40; ++i) {
        l.pass(std::chrono::milliseconds{10});
        l.on(n3, seen);
        all += l.tick();
      }
      return all;
    };
    CHECK(!has(for_400_ms(), "Recall"));
    const auto late = for_400_ms();
    CHECK(has(late, "Recall{") == (forgetful == 1));
    CHECK(has(late, "Revoke{") == (forgetful == 1));
    CHECK(has(late, "fell_behind"));
  }
}

TEST_CASE("a learner that remembers one batch says so, and finds its way back from behind it") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("learner.past_max", 1);
  desk l{disk, context};
  l.start();
  const auto say = [&](me::slot s) {
    const auto id = batch_number(node_id{static_cast<std::uint32_t>(s % 3 + 1)}, s / 3 + 1);
    l.on(n1, body(s, id));
    return l.on(n2, votes({slot_vote(s, {}, id, s)})) + l.on(n3, votes({slot_vote(s, {}, id, s)}));
  };
  for (me::slot s = 0; s < 6; ++s)
    CHECK(has(say(s), "delivered"));
  me::Ask asked;
  asked.set_from(2);
  const auto answer = l.on(n2, asked);
  CHECK(has(answer, "send n2 Forgotten{floor: 5}"));
  CHECK(has(answer, "Chosen{slot: 5"));
  CHECK(!has(answer, "Chosen{slot: 4"));
  // Back to where the replica is: what lies between must be learned again, and nothing is taken for a no-op.
  CHECK(!has(l.on(n1, fast_forward{cursor{3}, 1}), "delivered"));
  CHECK(l.role.next() == 3);
  CHECK(has(say(3), "delivered"));
  const auto rest = say(4);
  CHECK(l.role.next() == 6);
  CHECK(has(rest, "delivered"));
}

TEST_CASE("a learner with room for the votes of one slot counts those of the slot that comes next") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("learner.tally_slots_max", 1);
  desk l{disk, context};
  l.start();
  l.on(n1, body(0, first));
  l.on(n2, votes({slot_vote(1, {}, second, 1)}));
  l.on(n1, votes({slot_vote(0, {}, first)}));
  l.on(n1, votes({slot_vote(1, {}, second, 1)}));  // no room: it comes later
  CHECK(has(l.on(n3, votes({slot_vote(0, {}, first)})), "delivered"));
  CHECK(l.role.next() == 1);
}

}  // namespace quorate::testing
