// A replica whose state differs from a majority's serves nobody.
#include "tests/runtime/replica_desk.hpp"

#include "tests/harness/invariant_trap.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

/// What a replica with this many batches says.
wire::Applied told_by(replica_desk& d) {
  d.pass_and_tick(1s);
  return d.sent<wire::Applied>().at(0);
}

/// The same of a replica that is there too, with another state.
wire::Applied otherwise(wire::Applied msg) {
  msg.set_state_hash(msg.state_hash() + 1);
  for (auto& hash : *msg.mutable_hashes())
    ++hash;
  return msg;
}

/// Node 1 has agreed with the others at index 3, and differs from both at index 5.
session_id stray(replica_desk& d) {
  const auto session = d.open();
  d.count(session, 0, 2);
  const auto good = told_by(d);
  d.on(n2, good);
  d.on(n3, good);
  d.count(session, 2, 4);
  const auto bad = otherwise(told_by(d));
  d.on(n2, bad);
  d.on(n3, bad);
  return session;
}

query linearizable(std::uint64_t id) {
  return {token{id}, true, payload{"x"}};
}
query local(std::uint64_t id) {
  return {token{id}, false, payload{"x"}};
}

}  // namespace

TEST_CASE("a replica that differs from a majority saves that, says it once, and tells edge and sync") {
  replica_desk d;
  const auto session = d.open();
  d.count(session, 0, 2);
  const auto own = told_by(d);
  CHECK(d.on(n2, otherwise(own)) == "");
  const auto said = d.on(n3, otherwise(own));
  CHECK(said.starts_with("save q"));
  CHECK(d.role().notes() ==
        "this node's state differs from that of a majority of the members at index 3: it votes on, "
        "but serves nobody any more (is the state machine not deterministic, or has a disk failed?)");
  CHECK(d.sent<quarantined>().size() == 1);
  CHECK(d.sent<stop_serving>().size() == 1);
  CHECK(has(d.sent<replica_figures>().at(0).quarantine, "differs from that of a majority"));
  CHECK(d.on(n3, otherwise(own)) == "");
}

TEST_CASE("the others name who differs, once, and ask it for nothing") {
  replica_desk d;
  const auto session = d.open();
  d.count(session, 0, 2);
  const auto own = told_by(d);
  d.on(n2, own);
  CHECK(d.role().notes() == "");
  auto other = otherwise(own);
  d.on(n3, other);
  CHECK(d.role().notes() ==
        "n3's state differs from that of a majority of the members at index 3: it has to stop serving");
  CHECK(d.on(n3, other) == "");
  CHECK(d.sent<quarantined>().empty());
  other.set_quarantined(true);
  other.set_next(9'000);
  d.on(n3, other);
  // It is ahead by far, and nobody to ask.
  CHECK(d.sent<catch_up>().empty());
  for (int i = 0; i < 30; ++i) {
    d.pass_and_tick();
    CHECK(d.sent<catch_up>().empty());
  }
  d.on(n1, fell_behind{});
  REQUIRE(d.sent<catch_up>().size() == 1);
  CHECK(d.sent<catch_up>().at(0).ahead.empty());
  d.tick();
  CHECK(d.sent<replica_figures>().at(0).not_served_by == std::set{n3});
}

TEST_CASE("in quarantine nothing is answered: no command, no read, no sync") {
  replica_desk d;
  const auto session = stray(d);
  const auto ask = [&](std::uint64_t number) { return std::vector{count_command(session, number, "x")}; };
  d.on(n2, submission{ask(4)});
  CHECK(d.sent<propose>().empty());
  REQUIRE(d.sent<outcomes>().size() == 1);
  CHECK(d.sent_to<outcomes>() == std::vector{n2});
  CHECK(d.sent<outcomes>().at(0).list.at(0).code == errc::state_differs);
  // Not even what it has executed, since that is what may be wrong.
  d.on(n1, submission{ask(1)});
  CHECK(d.sent<outcomes>().at(0).list.at(0).code == errc::state_differs);
  d.on(n1, client_submission{ask(5)});
  CHECK(d.sent<propose>().empty());
  CHECK(d.sent<client_outcomes>().at(0).list.at(0).code == errc::state_differs);
  CHECK(d.on(n1, queries{{linearizable(1), local(2)}}) == "");
  CHECK(d.on(n1, fetch_log{n2, token{1}, log_index{0}}) == "");
  // It goes on applying, so that its log does not grow and its acceptor forgets, and answers nobody by that.
  d.deliver(ask(4));
  CHECK(d.sent<outcomes>().empty());
  CHECK(d.next() == 6);
}

TEST_CASE("what waits when the quarantine begins is not answered by a state that is not to be believed") {
  replica_desk d;
  const auto session = d.open();
  d.count(session, 0, 2);
  d.on(n2, submission{{count_command(session, 2, "x")}});
  d.on(n1, client_submission{{count_command(session, 3, "x")}});
  d.on(n1, queries{{linearizable(1)}});
  const auto asked = d.sent<barrier>().at(0);
  const auto bad = otherwise(told_by(d));
  d.on(n2, bad);
  d.on(n3, bad);
  CHECK(d.sent_to<outcomes>() == std::vector{n2});
  CHECK(d.sent<outcomes>().at(0).list.at(0).code == errc::unknown_outcome);
  CHECK(d.sent<client_outcomes>().at(0).list.at(0).code == errc::unknown_outcome);
  CHECK(d.on(n1, reached{asked.id}) == "");
  d.deliver({count_command(session, 2, "x"), count_command(session, 3, "x")});
  CHECK(d.sent<outcomes>().empty());
  CHECK(d.sent<client_outcomes>().empty());
}

TEST_CASE("in quarantine a replica says durable only up to where it agreed, and others take that back") {
  replica_desk d;
  stray(d);
  const auto told = told_by(d);
  CHECK(told.next() == 5);
  CHECK(told.durable() == 3);
  CHECK(told.quarantined());

  replica_desk other;
  const auto session = other.open();
  other.count(session, 0, 9);
  other.on(n1, told_by(other));
  other.on(n2, applied(10, 10));
  auto first = applied(10, 10);
  other.on(n3, first);
  CHECK(has(other.tick(), "forget{10}"));
  other.count(session, 9, 19);
  other.on(n1, told_by(other));
  other.on(n2, applied(20, 20));
  other.on(n3, applied(20, 20));
  first.set_quarantined(true);
  first.set_durable(3);
  other.on(n3, first);
  CHECK(!has(other.tick(), "forget"));
}

TEST_CASE("a restart does not lift the quarantine, whatever the others say then") {
  replica_desk d;
  const auto session = stray(d);
  d.restart();
  CHECK(d.sent<quarantined>().size() == 1);
  CHECK(d.sent<stop_serving>().size() == 1);
  CHECK(has(d.role().notes(), "serves nobody any more (this was found before this start)"));
  REQUIRE(d.sent<wire::Applied>().size() == 1);
  CHECK(d.sent<wire::Applied>().at(0).quarantined());
  CHECK(d.sent<wire::Applied>().at(0).durable() == 3);
  auto own = d.sent<wire::Applied>().at(0);
  own.set_quarantined(false);
  d.on(n2, own);
  d.on(n3, own);
  CHECK(d.on(n1, queries{{local(1)}}) == "");
  d.on(n1, submission{{count_command(session, 9, "x")}});
  CHECK(d.sent<outcomes>().at(0).list.at(0).code == errc::state_differs);
  // The state itself may even be whole again.
  d.crash(0);
  CHECK(d.sent<quarantined>().size() == 1);
}

TEST_CASE("where no majority agrees nobody can know: that is said once, after a while, and all serve on") {
  replica_desk d;
  d.open();
  const auto own = told_by(d);
  CHECK(d.on(n2, otherwise(own)) == "");
  d.pass_and_tick(1s);
  CHECK(d.role().notes() == "");
  d.pass_and_tick(1500ms);
  CHECK(d.role().notes() ==
        "the members' states differ at index 1 (this node's from that of n2), and no majority of them "
        "agrees: nobody can know which is right, and all serve on");
  d.pass_and_tick(10s);
  CHECK(d.role().notes() == "");
  CHECK(d.sent<replica_figures>().at(0).divergences == 1);
  d.on(n1, queries{{local(1)}});
  CHECK(d.sent<read_job>().size() == 1);
}

TEST_CASE("under load all members tell of the same indices, however far they are") {
  replica_desk d;
  const auto session = d.open();
  d.count(session, 0, 299);  // 300 batches
  const auto own = told_by(d);
  CHECK(own.next() == 300);
  CHECK(own.checked() == 256);
  REQUIRE(own.hashes_size() == 4);
  // One that is at 250 by now, and one at 290: they meet at 192.
  auto n2s = otherwise(own);
  n2s.set_next(250);
  n2s.set_state_hash(1);
  n2s.set_checked(192);
  n2s.mutable_hashes()->erase(n2s.hashes().begin());
  auto n3s = otherwise(own);
  n3s.set_next(290);
  n3s.set_state_hash(2);
  d.on(n2, n2s);
  CHECK(d.sent<quarantined>().empty());
  d.on(n3, n3s);
  CHECK(d.sent<quarantined>().size() == 1);
  CHECK(has(d.role().notes(), "at index 64"));
}

TEST_CASE("a restarted replica at rest can be compared at once") {
  replica_desk d;
  d.open();
  d.tick();
  d.restart();
  const auto own = d.sent<wire::Applied>().at(0);
  d.on(n2, otherwise(own));
  d.on(n3, otherwise(own));
  CHECK(d.sent<quarantined>().size() == 1);
}

}  // namespace quorate::testing
