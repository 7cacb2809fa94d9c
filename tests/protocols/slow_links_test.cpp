// What is on its way is waited for: it is neither sent once more, nor asked for, nor is its sender given up.
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/proposer.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/repeat_gate.hpp"
#include "tests/protocols/mencius_messages.hpp"
#include "tests/protocols/role_desk.hpp"
#include "tests/runtime/slow_account.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

const payload long_body{std::string(link_account::short_bytes_max + 1, 'x')};

/// A context whose links are kept by hand.
struct slow {
  std::shared_ptr<slow_account> account = std::make_shared<slow_account>();
  protocol_context context;

  explicit slow(node_id self) : context(context_of(3, self)) { context.account = account; }
};

with_payload<me::Body> long_one(me::slot s, const batch_id& id) {
  with_payload<me::Body> m{{}, long_body};
  m.head.set_slot(s);
  to_wire(id, m.head.mutable_id());
  return m;
}

template <class Desk>
std::string for_so_long(Desk& desk, duration time, duration step = 5ms) {
  std::string all;
  for (duration passed{}; passed < time; passed += step) {
    desk.pass(step);
    all += desk.tick();
  }
  return all;
}

/// The same, while this member is heard: who hears nobody revokes nothing.
std::string for_so_long(role_desk<mencius::learner>& l, duration time, node_id heard) {
  std::string all;
  for (duration passed{}; passed < time; passed += 5ms) {
    me::Position p;
    p.set_answer(true);
    all += l.on(heard, p);
    all += for_so_long(l, 5ms);
  }
  return all;
}

propose one_command() {
  propose p;
  command one;
  one.id = {session_id{1}, sequence{1}};
  one.body = long_body;
  p.commands.push_back(std::move(one));
  return p;
}

}  // namespace

TEST_CASE("what was sent is repeated only after it has been taken, and one patience later") {
  slow_account account;
  repeat_gate gate;
  account.given[n2] = 100;
  CHECK_FALSE(gate.opens(account, n2));
  CHECK(gate.opens(account, n3));
  account.given[n2] = 300;  // what came later does not count
  account.took[n2] = 99;
  CHECK_FALSE(gate.opens(account, n2));
  account.took[n2] = 100;
  CHECK_FALSE(gate.opens(account, n2));  // its answer may be on its way
  CHECK(gate.opens(account, n2));
  CHECK_FALSE(gate.opens(account, n2));  // the copy is on its way
  account.connection = 2;                // and lost with its connection
  CHECK_FALSE(gate.opens(account, n2));
  CHECK(gate.opens(account, n2));
}

TEST_CASE("a proposer of mencius repeats nothing that is on its way") {
  memory_journal disk;
  slow s{n1};
  role_desk<mencius::proposer> p{disk, s.context};
  p.start();
  me::Reserved durable;
  durable.set_ceiling(1'000'000);
  p.on(n1, durable);
  CHECK(has(p.on(n1, one_command()), "send_now n1,n2,n3 Suggest{"));
  s.account->given[n2] = s.account->given[n3] = long_body.size();
  s.account->took[n3] = long_body.size();
  const auto meanwhile = for_so_long(p, 2s, 10ms);
  CHECK(has(meanwhile, "send_now n1,n3 Suggest{"));
  CHECK(!has(meanwhile, "n2"));
  s.account->took[n2] = long_body.size();
  CHECK(has(for_so_long(p, 1s, 10ms), "n2"));
}

TEST_CASE(
    "a learner of mencius neither asks for what arrives nor revokes its owner, and does when nothing comes") {
  for (const auto arrives : {true, false}) {
    CAPTURE(arrives);
    memory_journal disk;
    slow s{n2};
    role_desk<mencius::learner> l{disk, s.context};
    l.start();
    // Slot 0 is n1's: n3 has heard of it, and its bytes come in here.
    if (arrives)
      s.account->arrives.insert(n1);
    me::Votes heard;
    heard.set_high(1);
    l.on(n1, heard);
    const auto text = for_so_long(l, 400ms, n3);
    CHECK(has(text, " Ask{") != arrives);
    CHECK(has(text, "Revoke{") != arrives);
    // One that has been overtaken by a later long one was lost.
    l.on(n2, long_one(3, batch_number(n1, 2)));
    const auto later = for_so_long(l, 400ms, n3);
    CHECK(has(later, " Ask{"));
    CHECK(has(later, "Revoke{"));
  }
}

TEST_CASE("a learner of mencius does not revoke its own lane while its suggestions are on their way") {
  memory_journal disk;
  slow s{n1};
  role_desk<mencius::learner> l{disk, s.context};
  l.start();
  s.account->given[n2] = s.account->given[n3] = 100'000;
  l.on(n1, long_one(0, batch_number(n1, 1)));
  CHECK(!has(for_so_long(l, 400ms, n3), "Revoke{"));
  s.account->took[n2] = 100'000;  // a majority has it
  CHECK(has(for_so_long(l, 400ms, n3), "Revoke{"));
}

TEST_CASE("who has the bytes of a batch is told only that it is chosen") {
  memory_journal disk;
  slow s{n1};
  role_desk<mencius::learner> l{disk, s.context};
  l.start();
  const auto id = batch_number(n1, 1);
  l.on(n1, long_one(0, id));
  l.on(n1, votes({slot_vote(0, {}, id)}));
  CHECK(has(l.on(n2, votes({slot_vote(0, {}, id)})), "delivered"));

  memory_journal other_disk;
  slow t{n3};
  role_desk<mencius::learner> asker{other_disk, t.context};
  asker.start();
  asker.on(n3, long_one(0, id));
  const auto asks = for_so_long(asker, 100ms);
  CHECK(has(asks, "held: 0"));

  me::Ask ask;
  CHECK(has(l.on(n3, ask), "Chosen{"));
  ask.add_held(0);
  const auto answer = l.on(n3, ask);
  CHECK(has(answer, "Chosen{"));
  // That is enough.
  with_payload<me::Chosen> chosen;
  to_wire(id, chosen.head.mutable_id());
  CHECK(has(asker.on(n1, chosen), "delivered"));
}

TEST_CASE("long batches that may be coming in from their owner are not asked of others") {
  memory_journal disk;
  slow s{n1};
  role_desk<mencius::learner> l{disk, s.context};
  l.start();
  for (const auto slot : {0, 3}) {
    const auto id = batch_number(n1, static_cast<std::uint64_t>(slot) + 1);
    l.on(n1, long_one(slot, id));
    l.on(n1, votes({slot_vote(slot, {}, id)}));
    l.on(n2, votes({slot_vote(slot, {}, id)}));
  }
  const auto bytes_of = [&](const me::Ask& ask) {
    const auto text = l.on(n3, ask);
    CHECK(has(text, "Chosen{"));
    std::size_t copies = 0;
    for (auto at = text.find("}+"); at != text.npos; at = text.find("}+", at + 1))
      copies += text.at(at + 2) == '0' ? 0 : 1;
    return copies;
  };
  CHECK(bytes_of({}) == 2);
  me::Ask none;
  none.set_no_long(true);
  CHECK(bytes_of(none) == 0);
  me::Ask later;
  later.add_coming()->set_from(1);  // of lane 0
  CHECK(bytes_of(later) == 1);

  memory_journal other_disk;
  slow t{n3};
  role_desk<mencius::learner> asker{other_disk, t.context};
  asker.start();
  t.account->arrives.insert(n1);
  asker.on(n1, votes({slot_vote(1, {}, batch_number(n2, 1))}));  // what n2 has suggested is missing
  asker.on(n3, long_one(0, batch_number(n1, 1)));
  CHECK(has(for_so_long(asker, 100ms), "coming"));
}

TEST_CASE("a learner of paxos takes nothing over while something long is on its way, for as long as that may take") {
  memory_journal disk;
  slow s{n1};
  role_desk<paxos::learner> l{disk, s.context};
  l.start();
  s.account->arrives.insert(n2);
  with_payload<paxos::Accepted> vote;
  vote.head.set_slot(1);
  to_wire(ballot{1, n2}, vote.head.mutable_ballot());
  to_wire(batch_number(n2, 1), vote.head.mutable_value()->mutable_id());
  s.account->last_transfer = 400ms;
  l.on(n2, vote);
  CHECK(!has(for_so_long(l, 3s, 10ms), "Takeover{"));
  SUBCASE("until nothing comes any more") {
    s.account->arrives.clear();
    CHECK(has(for_so_long(l, 60ms, 10ms), "Takeover{"));
  }
  SUBCASE("others' messages go on coming: its own is not among them") {
    CHECK(has(for_so_long(l, 500ms, 10ms), "Takeover{"));
  }
  SUBCASE("links are fast, as is seen now") {
    s.account->last_transfer = 4ms;
    CHECK(has(for_so_long(l, 60ms, 10ms), "Takeover{"));
  }
}

}  // namespace quorate::testing
