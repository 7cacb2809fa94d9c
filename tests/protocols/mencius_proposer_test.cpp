#include "protocols/mencius/proposer.hpp"

#include "tests/protocols/mencius_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using desk = role_desk<mencius::proposer>;

propose one_command(std::uint64_t number) {
  command c;
  c.id = {session_id{1}, sequence{number}};
  c.body = payload{"x"};
  return {{c}};
}
me::Reserved reserved(me::slot ceiling) {
  me::Reserved m;
  m.set_ceiling(ceiling);
  return m;
}
me::Revoke revoke(me::lane l, me::slot from, me::slot to) {
  me::Revoke m;
  m.set_lane(l);
  m.set_from(from);
  m.set_to(to);
  return m;
}
constexpr me::slot block = me::slot{1} << 24;
constexpr me::slot beyond_reach = me::slot{1} << 29;  // who is called slow skips that far

}  // namespace

TEST_CASE(
    "an owner suggests nothing before a ceiling is durable, and then in its first slot, at once, to all") {
  memory_journal disk;
  desk p{disk, context_of(3, n2)};
  const auto start = p.start();
  CHECK(has(start, "save c\nsend n2 Reserved{ceiling: " + std::to_string(block + 1)));
  CHECK(!has(p.on(n2, one_command(1)), "Suggest"));
  CHECK(has(p.on(n2, reserved(block + 1)),
            "send_now n1,n2,n3 Suggest{slot: 1 since: 1 id { node: 2 boot: 1 number: 1 } high: 2}"));
  CHECK(has(p.on(n2, one_command(2)), "Suggest{slot: 4 since: 4"));
}

TEST_CASE("a restarted owner begins at its old ceiling, and claims nothing below it") {
  memory_journal disk;
  {
    desk p{disk, context_of(3)};
    p.start();
  }
  desk p{disk, context_of(3)};
  const auto start = p.start();
  const auto begin = (block + 2) / 3 * 3;
  CHECK(has(start, "Began{slot: " + std::to_string(begin) + "}"));
  CHECK(!has(start, "OwnClaim"));
  p.on(n1, reserved(2 * block));
  CHECK(has(p.on(n1, one_command(1)),
            "Suggest{slot: " + std::to_string(begin) + " since: " + std::to_string(begin)));
}

TEST_CASE("an owner skips its slots below what others use, and the next suggestion says so") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  me::InUse used;
  used.set_high(8);
  CHECK(has(p.on(n1, used), "send_now n1 OwnClaim{claim { upto: 9 }}"));
  CHECK(has(p.on(n1, one_command(1)), "Suggest{slot: 9 id"));  // since: 0
}

TEST_CASE("commands are suggested again only when their slot is known to hold a no-op") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  p.on(n1, one_command(1));
  me::Promised over;
  over.set_to(30);
  CHECK(!has(p.on(n1, over), "Suggest"));
  me::Voided gone;
  gone.set_to(30);
  CHECK(has(p.on(n1, gone), "Suggest{slot: 30 since: 3 id { node: 1 boot: 1 number: 2 }"));
}

TEST_CASE("a revoker uses a fresh ballot each time, and proposes the highest vote that a majority told of") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  const auto prepared = p.on(n1, revoke(1, 1, 31));
  CHECK(prepared.starts_with("save r\n"));
  CHECK(has(prepared, "send n1,n2,n3 Prepare{lane: 1 from: 1 to: 31 ballot { round: 1 node: 1 }"));
  CHECK(has(p.on(n1, revoke(1, 1, 31)), "ballot { round: 2 node: 1 }"));
  const ballot mine{2, n1};
  CHECK(!has(p.on(n1, promise_of({1, n1})), "Accept"));  // of the older one
  CHECK(!has(p.on(n2, promise_of(mine, {slot_vote(4, {}, batch_number(n2, 1))})), "Accept"));
  CHECK(!has(p.on(n2, promise_of(mine)), "Accept"));  // the same member again
  const auto accepts = p.on(n3, promise_of(mine));
  CHECK(has(
      accepts,
      "send_now n1,n2,n3 AcceptNoops{vote { lane: 1 from: 1 to: 31 ballot { round: 2 node: 1 } but: 4 }"));
  CHECK(!has(accepts, "Accept{"));  // its bytes are not here yet
  with_payload<me::Found> bytes{{}, two_bytes};
  to_wire(mine, bytes.head.mutable_ballot());
  bytes.head.set_slot(4);
  to_wire(batch_number(n2, 1), bytes.head.mutable_id());
  CHECK(has(p.on(n2, bytes),
            "send_now n1,n2,n3 Accept{slot: 4 ballot { round: 2 node: 1 } id { node: 2 boot: 1 number: 1 }"));
}

TEST_CASE("an owner hands its commands over when more call it slow than may be faulty, and one batch first") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  p.on(n2, me::Slow{});
  p.on(n2, me::Slow{});
  CHECK(!has(p.on(n1, one_command(1)), "HandOff"));
  p.on(n3, me::Slow{});
  p.on(n1, reserved(beyond_reach));
  const auto first = p.on(n1, one_command(2));
  CHECK(has(first, "send_now n3 HandOff{number: 1 boot: 1}"));
  // Until that is decided there the others are ordered here.
  const auto second = p.on(n1, one_command(3));
  CHECK(!has(second, "HandOff"));
  CHECK(has(second, "Suggest"));
  me::HandedOver receipt;
  receipt.set_number(1);
  receipt.set_boot(1);
  p.on(n3, receipt);
  CHECK(has(p.on(n1, one_command(4)), "HandOff{number: 2"));
  const auto fourth = p.on(n1, one_command(5));
  CHECK(has(fourth, "HandOff{number: 3"));
  CHECK(!has(fourth, "Suggest"));
}

TEST_CASE("a complaint is forgotten after a while") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  p.on(n2, me::Slow{});
  p.pass(std::chrono::milliseconds{601});
  p.on(n3, me::Slow{});
  CHECK(!has(p.on(n1, one_command(1)), "HandOff"));
}

TEST_CASE("what was handed over and is not answered for some rounds is ordered here, and cannot be taken back") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n2, me::Slow{});
  p.on(n3, me::Slow{});
  CHECK(has(p.on(n1, one_command(1)), "send_now n3 HandOff"));
  p.pass(std::chrono::milliseconds{10});
  p.tick();
  p.pass(std::chrono::milliseconds{10});
  p.tick();
  const auto none = p.on(n1, take_back{{}, token{1}});
  CHECK(p.on(n1, take_back{{{session_id{1}, sequence{1}}}, token{1}}) == none);
  CHECK(has(p.on(n1, reserved(beyond_reach)), "Suggest{"));
  // Who has not ordered it is not asked again.
  p.on(n3, me::Slow{});
  p.on(n2, me::Slow{});
  CHECK(has(p.on(n1, one_command(2)), "send_now n2 HandOff"));
}

TEST_CASE("an owner goes on where it is while only one member refuses it, but not for ever") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  me::Nack no;
  no.set_lane(0);
  no.set_to(3'000);
  p.on(n3, no);
  CHECK(has(p.on(n1, one_command(1)), "Suggest{id "));  // slot 0
  p.on(n3, no);
  CHECK(has(p.on(n1, one_command(2)), "Suggest{slot: 3 "));
  SUBCASE("it is refused by so many that nothing can be decided") {
    p.on(n2, no);
    CHECK(has(p.on(n1, one_command(3)), "Suggest{slot: 3000 "));
  }
  SUBCASE("what it has suggested is not decided") {
    p.pass(std::chrono::milliseconds{30});
    p.tick();
    CHECK(has(p.on(n1, one_command(3)), "Suggest{slot: 3000 "));
  }
}

TEST_CASE("what was suggested long before what is decided is suggested again at once") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, reserved(block));
  p.on(n1, one_command(1));
  p.on(n1, one_command(2));
  p.pass(std::chrono::milliseconds{2});
  p.on(n1, one_command(3));
  me::Decided decided;
  decided.set_slot(6);
  to_wire(batch_number(n1, 3), decided.mutable_id());
  const auto text = p.on(n1, decided);
  CHECK(has(text, "Suggest{id "));  // slot 0
  CHECK(has(text, "Suggest{slot: 3 "));
  decided.set_slot(3);
  to_wire(batch_number(n1, 2), decided.mutable_id());
  CHECK(!has(p.on(n1, decided), "Suggest"));  // once
}

TEST_CASE("a refusal of a revocation makes the learner patient only while that is under way") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.start();
  p.on(n1, revoke(1, 1, 31));
  me::Nack no;
  no.set_lane(1);
  no.set_moved(100);
  to_wire(ballot{1, n1}, no.mutable_ballot());
  CHECK(has(p.on(n3, no), "Refused"));
  me::Promise yes;
  to_wire(ballot{1, n1}, yes.mutable_ballot());
  p.on(n1, yes);
  p.on(n2, yes);
  CHECK(!has(p.on(n3, no), "Refused"));
}

TEST_CASE("a restarted revoker never uses a ballot again") {
  memory_journal disk;
  {
    desk p{disk, context_of(3)};
    p.start();
    p.on(n1, revoke(1, 1, 31));
  }
  desk p{disk, context_of(3)};
  p.start();
  CHECK(has(p.on(n1, revoke(1, 1, 31)), "ballot { round: 10001 node: 1 }"));
}

}  // namespace quorate::testing
