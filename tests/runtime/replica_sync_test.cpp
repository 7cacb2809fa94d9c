// A replica that sync brings up to date, and one that others are served from.
#include "runtime/replica.hpp"

#include "tests/harness/invariant_trap.hpp"
#include "tests/runtime/replica_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

const session_id session{limits::batch_commands_max};

// Entries [from, to) of the log of a cluster whose batch 0 opened the session and whose others count "x".
apply_entries entries(std::uint64_t from, std::uint64_t to) {
  apply_entries out{token{5}, log_index{from}, {}};
  for (auto i = from; i < to; ++i) {
    const auto c = i == 0 ? open_command(1) : count_command(session, i - 1, "x");
    out.entries.push_back({epoch_id{0}, cursor{100 + i}, {{n2, boot_id{1}, i}, encode_commands({c})}});
  }
  return out;
}

// The state of a replica that has applied [0, at).
std::vector<std::pair<std::string, std::string>> snapshot(std::uint64_t at) {
  replica_desk other;
  other.on(n1, entries(0, at));
  return pairs_of(other.state);
}

// Parts of one pair each.
std::vector<stage_snapshot> parts(std::uint64_t at) {
  std::vector<stage_snapshot> out;
  for (auto& pair : snapshot(at))
    out.push_back({token{6}, out.size(), {std::move(pair)}, false, log_index{at}});
  out.back().last = true;
  return out;
}

}  // namespace

TEST_CASE("entries that fit are taken, those below are passed over, those behind a gap are not") {
  replica_desk d;
  auto said = d.on(n1, entries(0, 3));
  CHECK(has(said, "send_now n1 fast_forward{102}"));
  CHECK(d.sent<came_to>().at(0).next == log_index{3});
  CHECK(d.sent<came_to>().at(0).transfer == token{5});
  CHECK(d.sent<fast_forward>().at(0).generation == 1);

  said = d.on(n1, entries(1, 5));
  CHECK(d.sent<came_to>().at(0).next == log_index{5});
  CHECK(d.value_of("x") == "4");
  CHECK(d.sent<fast_forward>().at(0).generation == 2);

  // Nothing new: no fast-forward, but an answer.
  CHECK(d.on(n1, entries(2, 5)) == "send_now n1 came_to{5}");
  CHECK(d.on(n1, entries(7, 9)) == "send_now n1 came_to{5}");
  CHECK(d.on(n1, entries(5, 5)) == "send_now n1 came_to{5}");
  CHECK(d.value_of("x") == "4");
}

TEST_CASE("who waits is answered by entries too") {
  replica_desk d;
  d.on(n1, submission{{count_command(session, 1, "x")}});
  d.on(n1, entries(0, 3));
  CHECK(text(d.sent<outcomes>().at(0)) == "outcomes{8192#1 ok}");
  CHECK(d.sent<outcomes>().at(0).list.at(0).body.view() == "x=2");
}

TEST_CASE("a snapshot is switched to at its last part, and the protocol is told") {
  replica_desk d;
  d.on(n1, entries(0, 2));
  const auto all = parts(6);
  REQUIRE(all.size() > 4);
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    CHECK(d.on(n1, all[i]) == "send_now n1 came_to{2}");
  CHECK(d.value_of("x") == "1");
  const auto said = d.on(n1, all.back());
  CHECK(has(said, "erase l..m"));
  CHECK(has(said, "send_now n1 fast_forward{105}\nsend_now n1 came_to{6}"));
  CHECK(has(said, "went from index 2 to 6 by a snapshot"));
  CHECK(d.value_of("x") == "5");
  CHECK(d.log_range() == "6..6");
  CHECK(pairs_of(d.state) == snapshot(6));
  // It is durable at once.
  d.crash(0);
  CHECK(d.log_range() == "6..6");
  d.on(n1, entries(6, 7));
  CHECK(d.value_of("x") == "6");
}

TEST_CASE("a snapshot of which a part is missing is not switched to, and may come again") {
  replica_desk d;
  d.on(n1, entries(0, 2));
  const auto all = parts(6);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != 2)
      CHECK(d.on(n1, all[i]) == "send_now n1 came_to{2}");
  CHECK(d.value_of("x") == "1");
  // Parts of the middle alone do nothing.
  CHECK(d.on(n1, all[3]) == "send_now n1 came_to{2}");
  CHECK(d.on(n1, all.back()) == "send_now n1 came_to{2}");
  for (const auto& p : all)
    d.on(n1, p);
  CHECK(d.value_of("x") == "5");
}

TEST_CASE("a snapshot that begins anew leaves nothing of the one before") {
  replica_desk d;
  const auto old = parts(4);
  for (std::size_t i = 0; i + 1 < old.size(); ++i)
    d.on(n1, old[i]);
  for (const auto& p : parts(6))
    d.on(n1, p);
  CHECK(pairs_of(d.state) == snapshot(6));
}

TEST_CASE("a snapshot that the protocol has overtaken meanwhile is let go") {
  replica_desk d;
  const auto all = parts(4);
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    d.on(n1, all[i]);
  d.on(n1, entries(0, 7));
  CHECK(d.on(n1, all.back()) == "send_now n1 came_to{7}");
  CHECK(d.value_of("x") == "6");
}

TEST_CASE("after a snapshot those who wait are answered from its sessions, or told that nobody knows") {
  replica_desk d;
  d.on(n1, entries(0, 1));
  const session_id closed{5};
  d.on(n1, submission{{count_command(session, 2, "x"), count_command(session, 9, "x"),
                       count_command(closed, 0, "x"), open_command(77)}});
  std::string said;
  for (const auto& p : parts(6))
    said = d.on(n1, p);
  const auto answers = d.sent<outcomes>();
  REQUIRE(answers.size() == 1);
  std::map<command_id, outcome> told;
  for (const auto& o : answers[0].list)
    told[o.id] = o;
  CHECK(told.at({session, sequence{2}}).body.view() == "x=3");
  CHECK(told.at({closed, sequence{0}}).code == errc::unknown_outcome);
  // The ninth may still come.
  CHECK(!told.contains({session, sequence{9}}));
  d.on(n1, entries(6, 11));
  CHECK(has(text(d.sent<outcomes>().at(0)), "8192#9 ok"));
}

TEST_CASE("a snapshot voids an open barrier; it is asked for anew") {
  replica_desk d;
  d.on(n1, queries{{{token{1}, true, payload{"x"}}}});
  for (const auto& p : parts(4))
    d.on(n1, p);
  CHECK(d.sent<barrier>().size() == 1);
  CHECK(d.on(n1, reached{token{1}}) == "");
  CHECK(d.on(n1, reached{token{2}}) == "send_now n1 read_job{1}");
}

TEST_CASE("the log is served from where it is asked for") {
  replica_desk d;
  d.on(n1, entries(0, 5));
  CHECK(has(d.on(n1, fetch_log{n3, token{7}, log_index{2}}), "read l"));
  d.read();
  const auto part = d.sent<log_part>().at(0);
  CHECK(part.peer == n3);
  CHECK(part.transfer == token{7});
  CHECK(part.from == log_index{2});
  CHECK(part.end == log_index{5});
  REQUIRE(part.entries.size() == 3);
  CHECK(part.entries[0].at == cursor{102});
  CHECK(part.entries[0].value.id == batch_id{n2, boot_id{1}, 2});
  CHECK(part.entries[0].value.body == entries(2, 3).entries[0].value.body);
  // Rows that nobody asked for are nobody's.
  CHECK(d.rows({token{99}, {}, true}) == "");
}

TEST_CASE("who asks for what is not there yet gets an empty part") {
  replica_desk d;
  d.on(n1, entries(0, 5));
  CHECK(has(d.on(n1, fetch_log{n3, token{7}, log_index{5}}), "log_part{n3 #7 at 5 +0}"));
  CHECK(has(d.on(n1, fetch_log{n3, token{7}, log_index{9}}), "+0"));
}

TEST_CASE("where the log has been cut a view of the state is served") {
  replica_desk d{{4, 1'000'000}};
  d.on(n1, entries(0, 10));
  d.state.flush();
  d.tick();
  CHECK(d.log_range() == "6..10");
  d.on(n1, fetch_log{n3, token{7}, log_index{5}});
  REQUIRE(d.sent<log_gone>().size() == 1);
  const auto gone = d.sent<log_gone>().front();
  CHECK(gone.at == log_index{10});
  d.on(n1, entries(10, 12));
  CHECK(pairs_of(*gone.view) == snapshot(10));
  CHECK(has(d.on(n1, fetch_log{n3, token{7}, log_index{6}}), "read l"));
}

TEST_CASE("a log that was cut while it was being read serves what is left in one piece") {
  replica_desk d;
  d.on(n1, entries(0, 5));
  const auto said = d.on(n1, fetch_log{n3, token{7}, log_index{1}});
  const auto id = d.role().wanted<read_effect>().at(0).id;
  journal_rows rows{id, {}, true};
  d.journal.view(d.space)->scan("l", "m", [&](journal_row&& row) {
    if (rows.rows.size() != 2)
      rows.rows.push_back(std::move(row));
    return rows.rows.size() < 2;
  });
  // From 0, not from 1.
  d.rows(std::move(rows));
  CHECK(d.sent<log_part>().at(0).entries.empty());
}

TEST_CASE("a replica that is far behind, or stuck behind others, asks sync of the best first") {
  replica_desk d;
  d.on(n1, entries(0, 2));
  d.tick();
  d.on(n3, applied(5, 5));
  CHECK(d.sent<catch_up>().empty());
  d.on(n2, applied(2'000, 2'000));
  REQUIRE(d.sent<catch_up>().size() == 1);
  CHECK(d.sent<catch_up>().front().next == log_index{2});
  CHECK(d.sent<catch_up>().front().ahead == std::vector{n2, n3});
  d.on(n1, fell_behind{});
  CHECK(d.sent<catch_up>().front().ahead == std::vector{n2, n3});

  replica_desk stuck;
  stuck.on(n2, applied(1, 1));
  int ticks = 0;
  do
    stuck.pass_and_tick();
  while (stuck.sent<catch_up>().empty() && ++ticks < 30);
  CHECK(ticks >= 9);
  CHECK(ticks <= 11);
  CHECK(stuck.sent<catch_up>().at(0).ahead == std::vector{n2});
}

TEST_CASE("a replica does not ask sync for what comes in, however slowly, unless for too long") {
  replica_desk d;
  d.account->arrives.insert(n3);
  d.on(n2, applied(1, 1));
  int ticks = 0;
  // Between two batches nothing comes in for a moment.
  for (; ticks < 50; ++ticks) {
    if (ticks % 5 == 0)
      d.account->arrives.clear();
    else
      d.account->arrives.insert(n3);
    d.pass_and_tick();
    CHECK(d.sent<catch_up>().empty());
  }
  while (d.sent<catch_up>().empty() && ++ticks < 200)
    d.pass_and_tick();
  CHECK(ticks > 100);
  CHECK(ticks < 115);
}

TEST_CASE("a snapshot that is not of the index it says stops the node") {
  replica_desk d;
  auto all = parts(4);
  for (auto& p : all)
    p.at = log_index{5};
  const invariant_trap trap;
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    d.on(n1, all[i]);
  CHECK_THROWS_AS(d.on(n1, all.back()), invariant_broken);
}

}  // namespace quorate::testing
