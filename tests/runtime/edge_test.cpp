#include "runtime/edge.hpp"

#include "actors/bytes.hpp"
#include "actors/limits.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
constexpr std::uint64_t deadlines = 1;
constexpr std::uint64_t opening = 2;

client_requests write_of(std::uint64_t id, std::string body = "x", duration timeout = 1s) {
  return {{{token{id}, request_kind::write, "k", payload{std::move(body)}, timeout}}};
}

client_requests read_of(std::uint64_t id, request_kind kind = request_kind::read) {
  return {{{token{id}, kind, "k", payload{"q"}, 1s}}};
}

outcomes opened(const command& open, std::uint64_t session) {
  std::string bytes;
  put_little(bytes, session);
  return {{{open.id, errc::ok, payload{std::move(bytes)}}}};
}

outcomes result_of(const command_id& id, errc code = errc::ok, std::string body = "done") {
  return {{{id, code, payload{std::move(body)}}}};
}

/// An edge of node 1 in its third boot.
struct desk : lone_role<edge> {
  explicit desk(edge_limits limits = {}) : lone_role{n1, boot_id{3}, limits} {}
  [[nodiscard]] std::vector<command> submitted() const {
    const auto found = sent<submission>();
    return found.empty() ? std::vector<command>{} : found.front().commands;
  }
};

/// One that has opened session 8.
struct desk_in_session : desk {
  explicit desk_in_session(edge_limits limits = {}) : desk{limits} {
    start();
    on(n1, opened(submitted().at(0), 8));
  }
};

command_id in_8(std::uint64_t number) {
  return {session_id{8}, sequence{number}};
}

}  // namespace

TEST_CASE("an edge opens a session, again with the same nonce, until it has one") {
  desk d;
  const auto first = d.start();
  const auto open = d.submitted().at(0);
  CHECK(open.kind == command_kind::open_session);
  CHECK(first == "send_now n1 submission{open " + text(open.id) + "+0}\nset_timer 2 500000us");
  d.pass(500ms);
  CHECK(d.tick(opening) == first);
  CHECK(d.on(n1, opened(open, 8)) == "cancel_timer 2\nnote opened session 8");
  // A second answer, or a timer that was under way, changes nothing.
  CHECK(d.on(n1, opened(open, 9)) == "");
  CHECK(d.tick(opening) == "");
  d.on(n1, write_of(1));
  CHECK(d.submitted().at(0).id == in_8(0));
}

TEST_CASE("no two edges, boots or attempts have one nonce") {
  desk a;
  a.start();
  lone_role<edge> other_node{node_id{2}, boot_id{3}};
  other_node.start();
  lone_role<edge> other_boot{n1, boot_id{4}};
  other_boot.start();
  const auto id = a.submitted().at(0).id;
  CHECK(other_node.sent<submission>().at(0).commands.at(0).id != id);
  CHECK(other_boot.sent<submission>().at(0).commands.at(0).id != id);
}

TEST_CASE("an answer to the opening that is no session is not taken for one") {
  desk d;
  d.start();
  const auto open = d.submitted().at(0);
  CHECK(d.on(n1, result_of(open.id, errc::unknown_outcome, "a sentence, not a number")) == "");
  CHECK(d.on(n1, result_of(open.id, errc::ok, "short")) == "");
  d.pass(500ms);
  d.tick(opening);
  CHECK(d.submitted().size() == 1);
  d.on(n1, opened(open, 8));
  d.on(n1, write_of(1));
  CHECK(d.submitted().at(0).id == in_8(0));
}

TEST_CASE("writes wait for the session, then go in order and at once") {
  desk d;
  d.start();
  const auto open = d.submitted().at(0);
  d.on(n1, write_of(1, "a"));
  CHECK(d.submitted().empty());
  d.on(n1, write_of(2, "b"));
  d.on(n1, opened(open, 8));
  REQUIRE(d.submitted().size() == 2);
  CHECK(d.submitted()[0].body.view() == "a");
  CHECK(d.submitted()[1].id == in_8(1));
  CHECK(d.submitted()[1].key == "k");
  d.on(n1, write_of(3));
  CHECK(d.submitted().at(0).id == in_8(2));
}

TEST_CASE("a write tells below which sequence everything is answered") {
  desk_in_session d;
  for (std::uint64_t i = 1; i <= 3; ++i)
    d.on(n1, write_of(i));
  d.on(n1, result_of(in_8(1)));
  d.on(n1, write_of(4));
  CHECK(d.submitted().at(0).done_below == 0);
  d.on(n1, result_of(in_8(0)));
  d.on(n1, write_of(5));
  CHECK(d.submitted().at(0).done_below == 2);
}

TEST_CASE("an outcome answers its request, once") {
  desk_in_session d;
  d.on(n1, write_of(41));
  d.on(n1, result_of(in_8(0), errc::invalid_command, "no"));
  const auto replies = d.sent<client_replies>();
  REQUIRE(replies.size() == 1);
  CHECK(text(replies[0]) == "client_replies{41 invalid_command}");
  CHECK(replies[0].list[0].body.view() == "no");
  CHECK(d.on(n1, result_of(in_8(0))) == "");
  CHECK(d.on(n1, result_of({session_id{7}, sequence{0}})) == "");
}

TEST_CASE("reads need no session; what comes too late is dropped") {
  desk d;
  d.start();
  d.on(n1, client_requests{{{token{1}, request_kind::read, "", payload{"q"}, 1s},
                            {token{2}, request_kind::read_local, "", payload{"r"}, 1s}}});
  REQUIRE(d.sent<queries>().size() == 1);
  const auto asked = d.sent<queries>().front().list;
  CHECK(asked[0].linearizable);
  CHECK(!asked[1].linearizable);
  d.on(n1, query_results{{{asked[1].id, errc::ok, payload{"v"}}}});
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{2 ok}");
  d.pass(1s);
  const auto said = d.tick(deadlines);
  CHECK(has(said, "send_now n1 drop_queries{" + std::to_string(asked[0].id.value) + "}"));
  CHECK(has(said, "client_replies{1 no_quorum}"));
  CHECK(d.on(n1, query_results{{{asked[0].id, errc::ok, payload{"v"}}}}) == "");
}

TEST_CASE("beyond its limits an edge says overloaded, and takes more once something is answered") {
  desk_in_session d{{2, 100}};
  d.on(n1, write_of(1));
  d.on(n1, write_of(2));
  CHECK(d.on(n1, write_of(3)) == "send_now n1 client_replies{3 overloaded}");
  d.on(n1, result_of(in_8(0)));
  d.on(n1, write_of(5, std::string(90, 'x')));
  CHECK(d.submitted().size() == 1);
  d.on(n1, result_of(in_8(1)));
  d.on(n1, write_of(6, std::string(101, 'x')));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{6 overloaded}");
  // The bytes of what was answered are free again.
  d.on(n1, result_of(in_8(2)));
  d.on(n1, write_of(7, std::string(100, 'x')));
  CHECK(d.submitted().size() == 1);
}

TEST_CASE("reads have room of their own: no number of them stops a write, nor the other way round") {
  desk_in_session d{{2, 100}};
  d.on(n1, read_of(1));
  d.on(n1, read_of(2, request_kind::read_local));
  const auto asked = d.sent<queries>().at(0).list.at(0).id;
  CHECK(d.on(n1, read_of(3)) == "send_now n1 client_replies{3 overloaded}");
  d.on(n1, write_of(4));
  d.on(n1, write_of(5));
  CHECK(d.submitted().size() == 1);
  CHECK(d.on(n1, write_of(6)) == "send_now n1 client_replies{6 overloaded}");
  CHECK(d.on(n1, read_of(7)) == "send_now n1 client_replies{7 overloaded}");
  d.on(n1, query_results{{{asked, errc::ok, {}}}});
  d.on(n1, read_of(8));
  CHECK(d.sent<queries>().size() == 1);
  CHECK(d.on(n1, write_of(9)) == "send_now n1 client_replies{9 overloaded}");
}

TEST_CASE("without a majority in sight writes and linearizable reads are refused before they have a name") {
  desk_in_session d;
  CHECK(d.on(n1, admission{true, true, true}) == "");
  CHECK(d.on(n1, write_of(1)) == "send_now n1 client_replies{1 no_quorum}");
  CHECK(d.on(n1, read_of(2)) == "send_now n1 client_replies{2 no_quorum}");
  d.on(n1, read_of(3, request_kind::read_local));
  CHECK(d.sent<queries>().size() == 1);
  // Who says so waits, as ever.
  auto patient = write_of(4);
  patient.list[0].wait = true;
  d.on(n1, patient);
  REQUIRE(d.submitted().size() == 1);
  CHECK(d.submitted()[0].id == in_8(0));
  auto patient_read = read_of(5);
  patient_read.list[0].wait = true;
  d.on(n1, patient_read);
  CHECK(d.sent<queries>().size() == 1);
  d.on(n1, admission{});
  d.on(n1, write_of(6));
  CHECK(d.submitted().at(0).id == in_8(1));
}

TEST_CASE("what was handed over before keeps its deadline, whatever is in sight now") {
  desk_in_session d;
  d.on(n1, write_of(1));
  CHECK(d.on(n1, admission{true, false, false}) == "");
  d.on(n1, result_of(in_8(0)));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 ok}");
}

TEST_CASE("where too few disks have room a write is refused, waiting or not, and reads go on") {
  desk_in_session d;
  d.on(n1, admission{false, false, true});
  CHECK(d.on(n1, write_of(1)) == "send_now n1 client_replies{1 disk_full}");
  auto patient = write_of(2);
  patient.list[0].wait = true;
  CHECK(d.on(n1, patient) == "send_now n1 client_replies{2 disk_full}");
  d.on(n1, read_of(3));
  CHECK(d.sent<queries>().size() == 1);
  d.on(n1, admission{});
  d.on(n1, write_of(4));
  CHECK(d.submitted().at(0).id == in_8(0));
}

TEST_CASE("commands that make room are ordered from a second reserve") {
  const admission grown{false, false, true};
  CHECK(grown.verdict(command_class::growing, false) == errc::disk_full);
  CHECK(grown.verdict(command_class::freeing, false) == errc::ok);
  const admission spent{false, false, false};
  CHECK(spent.verdict(command_class::freeing, true) == errc::disk_full);
  const admission cut_off{true, false, false};
  CHECK(cut_off.verdict(command_class::growing, false) == errc::no_quorum);
  CHECK(cut_off.verdict(command_class::growing, true) == errc::disk_full);
}

TEST_CASE("a write above the size of a command is refused by name") {
  desk_in_session d;
  d.on(n1, write_of(1, std::string(limits::command_bytes_max, 'x')));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 too_large}");
  client_requests long_key{
      {{token{2}, request_kind::write, std::string(limits::key_bytes_max + 1, 'k'), {}, 1s}}};
  d.on(n1, long_key);
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{2 too_large}");
  d.on(n1, write_of(3, std::string(limits::command_bytes_max - 1, 'x')));
  CHECK(d.submitted().size() == 1);
}

TEST_CASE("a write that was never submitted ends as no_quorum at its deadline") {
  desk d;
  d.start();
  const auto open = d.submitted().at(0);
  CHECK(d.on(n1, write_of(1)) == "set_timer 1 5000us");
  d.pass(999ms);
  CHECK(d.tick(deadlines) == "set_timer 1 5000us");
  d.pass(1ms);
  CHECK(d.tick(deadlines) == "send_now n1 client_replies{1 no_quorum}");
  d.on(n1, opened(open, 8));
  CHECK(d.submitted().empty());
}

TEST_CASE("a submitted write is taken back at its deadline: no_quorum where it never left, else unknown") {
  desk_in_session d;
  d.on(n1, write_of(1));
  d.on(n1, write_of(2));
  d.on(n1, write_of(3, "x", 2s));
  d.pass(1s);
  d.tick(deadlines);
  REQUIRE(d.sent<withdraw>().size() == 1);
  const auto question = d.sent<withdraw>().front();
  CHECK(question.ids == std::vector{in_8(0), in_8(1)});
  CHECK(d.sent<client_replies>().empty());
  // Asked once.
  d.pass(100ms);
  d.tick(deadlines);
  CHECK(d.sent<withdraw>().empty());
  // An answer to a question that was not asked settles nothing.
  CHECK(d.on(n1, withdrawn{{in_8(0)}, token{99}}) == "");
  d.on(n1, withdrawn{{in_8(1)}, question.id});
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{2 no_quorum, 1 unknown_outcome}");
  // What happens after the deadline comes too late.
  CHECK(d.on(n1, result_of(in_8(0))) == "");
  CHECK(d.on(n1, withdrawn{{in_8(0)}, question.id}) == "");
  d.on(n1, result_of(in_8(2)));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{3 ok}");
}

TEST_CASE("an outcome between the question and its answer is the answer") {
  desk_in_session d;
  d.on(n1, write_of(1));
  d.pass(1s);
  d.tick(deadlines);
  const auto question = d.sent<withdraw>().at(0);
  d.on(n1, result_of(in_8(0)));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 ok}");
  CHECK(d.on(n1, withdrawn{{}, question.id}) == "");
}

TEST_CASE("what an expired session refused goes again under a new one; the rest has an unknown outcome") {
  desk_in_session d;
  d.on(n1, write_of(1, "a"));
  d.on(n1, write_of(2, "b"));
  d.on(n1, write_of(3, "c"));
  d.on(n1, outcomes{{{in_8(0), errc::session_expired, {}}, {in_8(1), errc::ok, {}}}});
  const auto said = text(d.sent<client_replies>().at(0));
  CHECK(said == "client_replies{2 ok, 3 unknown_outcome}");
  CHECK(d.notes() == "session 8 has expired");
  const auto open = d.submitted().at(0);
  CHECK(open.kind == command_kind::open_session);
  // Late answers under the old session mean nothing any more.
  CHECK(d.on(n1, result_of(in_8(0))) == "");
  d.on(n1, opened(open, 9));
  REQUIRE(d.submitted().size() == 1);
  CHECK(d.submitted()[0].id == command_id{session_id{9}, sequence{0}});
  CHECK(d.submitted()[0].body.view() == "a");
  d.on(n1, result_of({session_id{9}, sequence{0}}));
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 ok}");
}

TEST_CASE("no more commands are under way than the session's window holds") {
  desk_in_session d{{limits::session_window, 1 << 30}};
  client_requests many;
  for (std::uint64_t i = 0; i < limits::session_window / 2 + 10; ++i)
    many.list.push_back({token{i}, request_kind::write, "", {}, 10s});
  d.on(n1, many);
  CHECK(d.submitted().size() == limits::session_window / 2);
  // It is the oldest that counts, however many others are done.
  d.on(n1, result_of(in_8(5)));
  CHECK(d.submitted().empty());
  d.on(n1, result_of(in_8(0)));
  CHECK(d.submitted().size() == 1);
}

}  // namespace quorate::testing
