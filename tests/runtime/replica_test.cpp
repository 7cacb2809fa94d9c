#include "runtime/replica.hpp"

#include "tests/runtime/replica_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

queries query_of(std::uint64_t id, bool linearizable = true) {
  return {{{token{id}, linearizable, payload{"x"}}}};
}

std::string row(std::uint64_t index) {
  return "l\\00\\00\\00\\00\\00\\00\\00\\0" + std::to_string(index);
}

}  // namespace

TEST_CASE("a submission is proposed, once however often it comes") {
  replica_desk d;
  const auto a = d.open();
  CHECK(d.on(n1, submission{{count_command(a, 0, "x"), count_command(a, 1, "x")}}) ==
        "send_now n1 propose{8192#0+1, 8192#1+1}");
  CHECK(d.on(n1, submission{{count_command(a, 1, "x"), count_command(a, 2, "x")}}) ==
        "send_now n1 propose{8192#2+1}");
}

TEST_CASE("a delivered batch is executed, saved lazily with its bytes, and who waits is answered") {
  replica_desk d;
  const auto a = d.open();
  d.on(n1, submission{{count_command(a, 0, "x")}});
  d.on(n2, submission{{count_command(a, 1, "x")}});
  CHECK(d.deliver({count_command(a, 0, "x"), count_command(a, 1, "x"), count_command(a, 2, "x")}) ==
        "save_lazy " + row(1) +
            " batch n2.1.2\n"
            "send_now n1 outcomes{8192#0 ok}\n"
            "send_now n2 outcomes{8192#1 ok}");
  CHECK(d.sent<outcomes>().at(0).list.at(0).body.view() == "x=1");
  CHECK(d.value_of("x") == "3");
  const auto saved = d.role().wanted<save_effect>().at(0);
  CHECK(decode_commands(saved.batch->body.view())->size() == 3);
}

TEST_CASE("a command that was executed before is answered from its session, without proposing") {
  replica_desk d;
  const auto a = d.open();
  d.deliver({count_command(a, 0, "x")});
  CHECK(d.on(n2, submission{{count_command(a, 0, "x")}}) == "send_now n2 outcomes{8192#0 ok}");
  CHECK(d.sent<outcomes>().at(0).list.at(0).body.view() == "x=1");
  // Ordered twice all the same: executed once, answered with the first outcome.
  d.on(n1, submission{{count_command(a, 1, "x")}});
  d.deliver({count_command(a, 0, "x"), count_command(a, 1, "x")});
  CHECK(d.value_of("x") == "2");
}

TEST_CASE("a command under a session that nobody opened is ordered, refused and never executed") {
  replica_desk d;
  const session_id nowhere{5};
  d.on(n1, submission{{count_command(nowhere, 0, "x")}});
  d.deliver({count_command(nowhere, 0, "x")});
  CHECK(text(d.sent<outcomes>().at(0)) == "outcomes{5#0 session_expired}");
  CHECK(d.value_of("x") == "none");
}

TEST_CASE("deliveries of a generation before a fast-forward are ignored") {
  replica_desk d;
  const auto a = d.open();
  apply_entries entries{token{1}, log_index{1}, {}};
  entries.entries.push_back({epoch_id{0}, cursor{2}, d.batch_of({count_command(a, 0, "x")}).value});
  d.on(n1, entries);
  const auto ff = d.sent<fast_forward>().at(0);
  CHECK(ff.at == cursor{2});
  CHECK(d.deliver({count_command(a, 1, "x")}, ff.generation - 1) == "");
  CHECK(d.value_of("x") == "1");
  d.deliver({count_command(a, 1, "x")}, ff.generation);
  CHECK(d.value_of("x") == "2");
}

TEST_CASE("a withdrawal is asked of the proposer; what never left is told and waits no more") {
  replica_desk d;
  const auto a = d.open();
  d.on(n1, submission{{count_command(a, 0, "x"), count_command(a, 1, "x")}});
  const command_id first{a, sequence{0}};
  const command_id second{a, sequence{1}};
  CHECK(d.on(n1, withdraw{{first, second}, token{9}}) == "send_now n1 take_back{8192#0, 8192#1}");
  const auto question = d.sent<take_back>().at(0).id;
  CHECK(d.on(n1, not_ordered{{second}, token{question.value + 1}}) == "");
  CHECK(d.on(n1, not_ordered{{second}, question}) == "send_now n1 withdrawn{8192#1}");
  CHECK(d.sent<withdrawn>().at(0).id == token{9});
  CHECK(d.on(n1, not_ordered{{first}, question}) == "");
  // The first may still be ordered, and is answered then.
  d.deliver({count_command(a, 0, "x")});
  CHECK(text(d.sent<outcomes>().at(0)) == "outcomes{8192#0 ok}");
  // The second is proposed anew where it comes again.
  CHECK(d.on(n1, submission{{count_command(a, 1, "x")}}) == "send_now n1 propose{8192#1+1}");
}

TEST_CASE("a withdrawal is answered also where nothing is taken back") {
  replica_desk d;
  d.on(n2, withdraw{{}, token{9}});
  CHECK(d.on(n1, not_ordered{{}, d.sent<take_back>().at(0).id}) == "send_now n2 withdrawn{}");
}

TEST_CASE("a linearizable read waits for a barrier that was asked for after it came") {
  replica_desk d;
  const auto a = d.open();
  CHECK(d.on(n1, query_of(1)) == "send_now n1 barrier{1}");
  // The barrier is under way already: not for this one.
  CHECK(d.on(n1, query_of(2)) == "");
  CHECK(d.on(n1, query_of(3)) == "");
  d.deliver({count_command(a, 0, "x")});
  CHECK(d.on(n1, reached{token{99}}) == "");
  CHECK(d.on(n1, reached{token{1}}) == "send_now n1 read_job{1}\nsend_now n1 barrier{2}");
  const auto job = d.sent<read_job>().at(0);
  CHECK(job.at == log_index{2});
  CHECK(job.view->get(std::string{store_keys::machine} + "x") == "1");
  CHECK(d.on(n1, reached{token{1}}) == "");
  CHECK(d.on(n1, reached{token{2}}) == "send_now n1 read_job{2, 3}");
  CHECK(d.on(n1, query_of(4)) == "send_now n1 barrier{3}");
}

TEST_CASE("a local read runs at once, on what has been applied") {
  replica_desk d;
  CHECK(d.on(n1, query_of(1, false)) == "send_now n1 read_job{1 local}");
  CHECK(d.sent<read_job>().at(0).at == log_index{0});
}

TEST_CASE("dropped reads are not run") {
  replica_desk d;
  d.on(n1, query_of(1));
  d.on(n1, query_of(2));
  d.on(n1, query_of(3));
  // Nobody waits for the open barrier any more: the next one takes its place at once.
  CHECK(d.on(n1, drop_queries{{token{1}, token{2}}}) == "send_now n1 barrier{2}");
  CHECK(d.on(n1, reached{token{1}}) == "");
  CHECK(d.on(n1, reached{token{2}}) == "send_now n1 read_job{3}");
}

TEST_CASE("a barrier for which no read waits any more is closed, and not asked for again") {
  replica_desk d;
  d.on(n1, query_of(1));
  CHECK(d.on(n1, drop_queries{{token{9}}}) == "");
  CHECK(d.on(n1, drop_queries{{token{1}}}) == "send_now n1 barrier{0}");
  CHECK(!has(d.pass_and_tick(), "barrier"));
  CHECK(d.on(n1, reached{token{1}}) == "");
  CHECK(d.on(n1, drop_queries{{token{1}}}) == "");
  CHECK(d.on(n1, query_of(2)) == "send_now n1 barrier{2}");
}

TEST_CASE("an open barrier is asked for again after a while, and anew after a fast-forward voids it") {
  replica_desk d;
  const auto a = d.open();
  d.on(n1, query_of(1));
  CHECK(has(d.pass_and_tick(), "send_now n1 barrier{1}"));
  d.on(n1, query_of(2));
  apply_entries entries{token{1}, log_index{1}, {}};
  entries.entries.push_back({epoch_id{0}, cursor{2}, d.batch_of({count_command(a, 0, "x")}).value});
  const auto said = d.on(n1, entries);
  CHECK(has(said, "send_now n1 fast_forward{2}\nsend_now n1 barrier{2}"));
  CHECK(d.on(n1, reached{token{1}}) == "");
  CHECK(d.on(n1, reached{token{2}}) == "send_now n1 read_job{1, 2}");
  // None is open: none is asked for again.
  CHECK(!has(d.pass_and_tick(), "barrier"));
}

TEST_CASE("what is told as durable is saved first; the log's lazy saves ride with it") {
  replica_desk d;
  d.open();
  CHECK(d.journal.unsynced() == 1);
  const auto said = d.pass_and_tick();
  const auto save = said.find("save d");
  const auto told = said.find("send n2,n3,n1 Applied{next: 1 durable: 1");
  REQUIRE(save != std::string::npos);
  REQUIRE(told != std::string::npos);
  CHECK(save < told);
  CHECK(d.journal.unsynced() == 0);
  // Without news it is repeated now and then, with nothing to save.
  CHECK(!has(d.pass_and_tick(), "Applied"));
  const auto again = d.pass_and_tick(1s);
  CHECK(has(again, "send n2,n3,n1 Applied{next: 1 durable: 1"));
  CHECK(!has(again, "save"));
}

TEST_CASE("nothing is forgotten before a majority has it durably, and nothing that a member may still need") {
  replica_desk d{{8, 1'000'000}};
  const auto a = d.open();
  d.count(a, 0, 5);
  d.tick();
  d.on(n1, d.sent<wire::Applied>().at(0));
  CHECK(!has(d.tick(), "forget"));
  // Applied is not durable.
  d.on(n2, applied(6, 0));
  CHECK(!has(d.tick(), "forget"));
  d.on(n2, applied(6, 4));
  CHECK(!has(d.tick(), "forget"));
  d.on(n3, applied(6, 3));
  CHECK(has(d.tick(), "send_now n1 forget{3}"));
  CHECK(!has(d.tick(), "forget"));
  // What is durable stays durable, whatever is told late.
  d.on(n3, applied(6, 1));
  CHECK(!has(d.tick(), "forget"));
  // A member beyond the log's reach will get a snapshot.
  d.count(a, 5, 20);
  d.tick();
  d.on(n1, d.sent<wire::Applied>().at(0));
  d.on(n2, applied(21, 21));
  CHECK(has(d.tick(), "send_now n1 forget{13}"));
}

TEST_CASE("the log is cut behind the flushed state") {
  replica_desk d{{8, 1'000'000}};
  const auto a = d.open();
  d.count(a, 0, 19);
  d.tick();
  CHECK(d.log_rows() == 20);
  d.state.flush();
  d.count(a, 19, 29);
  CHECK(has(d.tick(), "erase " + row(0) + ".."));
  // Only to where the state is flushed.
  CHECK(d.log_range() == "20..30");
  CHECK(d.log_rows() == 10);
}

TEST_CASE("the state is flushed now and then while it changes") {
  replica_desk d;
  d.pass_and_tick(20s);
  CHECK(!d.state.flush_wanted());
  d.open();
  d.pass_and_tick();
  CHECK(d.state.flush_wanted());
  d.state.flush();
  d.pass_and_tick(20s);
  CHECK(!d.state.flush_wanted());
}

}  // namespace quorate::testing
