#include "protocols/paxos/proposer.hpp"

#include "tests/protocols/paxos_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;
using paxos::proposer;
using desk = role_desk<proposer>;

command command_of(std::uint64_t number, std::size_t bytes = 1) {
  return {{session_id{1}, sequence{number}}, 0, command_kind::machine, "k", payload{std::string(bytes, 'v')}};
}

propose some(std::uint64_t from, std::uint64_t to) {
  propose m;
  for (auto i = from; i <= to; ++i)
    m.commands.push_back(command_of(i));
  return m;
}

take_back back(std::initializer_list<std::uint64_t> numbers) {
  take_back m;
  for (const auto i : numbers)
    m.ids.push_back({session_id{1}, sequence{i}});
  m.id = token{5};
  return m;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Two of three promise slot `s` at `b`, nobody has voted.
std::string promised(desk& p, px::slot s, ballot b) {
  return p.on(n1, promise(s, b)) + p.on(n2, promise(s, b));
}

}  // namespace

TEST_CASE("a proposer prepares the next free slot behind a saved ceiling of rounds") {
  memory_journal disk;
  desk p{disk, context_of(3, n1, 41)};
  CHECK(p.on(n1, some(1, 2)) == "save r\n"
                                "send n1,n2,n3 Prepare{slot: 42 ballot { round: 1 node: 1 }}\n"
                                "set_timer 1 10000us");
  // One slot is prepared at a time: these join it.
  CHECK(p.on(n1, some(3, 3)) == "");
}

TEST_CASE("a batch is formed when a majority has promised, of everything that waits") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 2));
  p.on(n1, some(3, 3));
  CHECK(p.on(n1, promise(1, {1, n1})) == "");
  CHECK(p.on(n1, promise(1, {1, n1})) == "");  // the same member counts once
  const auto text = p.on(n2, promise(1, {1, n1}));
  CHECK(text.starts_with(
      "send_now n1,n2,n3 Accept{slot: 1 ballot { round: 1 node: 1 } value { id { node: 1 boot: 1 number: "
      "1 } }}+"));
  CHECK(!has(text, "Prepare"));  // nothing waits any more
  CHECK(p.on(n3, promise(1, {1, n1})) == "");
}

TEST_CASE("the window bounds the slots in flight, and opens when one is decided") {
  memory_journal disk;
  auto context = context_of(3);
  context.options["window"] = "2";
  desk p{disk, context};
  p.on(n1, some(1, 1));
  promised(p, 1, {1, n1});
  CHECK(has(p.on(n1, some(2, 2)), "Prepare{slot: 2"));
  promised(p, 2, {2, n1});
  CHECK(p.on(n1, some(3, 3)) == "");
  CHECK(has(p.on(n1, decided(1, batch_of(n1, 1))), "Prepare{slot: 3"));
}

TEST_CASE("more than one batch takes opens more than one slot") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  propose big;
  for (std::uint64_t i = 0; i < 5; ++i)
    big.commands.push_back(command_of(i, 500'000));
  const auto text = p.on(n1, big);
  CHECK(has(text, "Prepare{slot: 3 "));
  CHECK(!has(text, "Prepare{slot: 4 "));
  CHECK(has(promised(p, 1, {1, n1}), "+1000"));
}

TEST_CASE("the vote with the highest ballot is proposed, and the commands go to another slot") {
  memory_journal disk;
  desk p{disk, context_of(5)};
  p.on(n1, some(1, 1));
  CHECK(p.on(n1, promise(1, {1, n1})) == "");
  CHECK(p.on(n2, promise(1, {1, n1}, {3, n2}, batch_of(n2, 7))) == "");
  const auto text = p.on(n3, promise(1, {1, n1}, {2, n3}, batch_of(n3, 8)));
  CHECK(
      has(text, "Accept{slot: 1 ballot { round: 1 node: 1 } value { id { node: 2 boot: 1 number: 7 } }}+2"));
  CHECK(has(text, "Prepare{slot: 2 "));
}

TEST_CASE("a no-op that was voted for is a value like any other") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  p.on(n1, promise(1, {1, n1}));
  CHECK(has(
      p.on(n2, promise(1, {1, n1}, {1, n2}, noop_of(n2, 7))),
      "Accept{slot: 1 ballot { round: 1 node: 1 } value { id { node: 2 boot: 1 number: 7 } noop: true }}+0"));
}

TEST_CASE("a fresh slot is left to who is in the way, with a higher round for the next") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  CHECK(p.on(n2, nack(1, {1, n1}, {8, n2})) == "note slot 1: 1.n1 is below 8.n2\n"
                                               "send n1,n2,n3 Prepare{slot: 2 ballot { round: 9 node: 1 }}");
  CHECK(p.on(n2, nack(1, {1, n1}, {8, n2})) == "");  // nobody works on it any more
}

TEST_CASE("slots that others are heard at are passed over") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, about_slot<px::InUse>(7));
  p.on(n2, about_slot<px::InUse>(70));  // only the acceptor beside us is believed
  CHECK(has(p.on(n1, some(1, 1)), "Prepare{slot: 8 "));
  p.on(n1, promise(8, {1, n1}, 12));
  p.on(n2, promise(8, {1, n1}, 11));
  CHECK(has(p.on(n1, some(2, 2)), "Prepare{slot: 13 "));
}

TEST_CASE("once in an Accept, a batch stays with its slot and is tried with a higher ballot") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  promised(p, 1, {1, n1});
  p.on(n2, nack(1, {1, n1}, {4, n2}));
  p.pass(19ms);
  CHECK(!has(p.tick(), "Prepare"));
  p.pass(32ms);
  CHECK(has(p.tick(), "Prepare{slot: 1 ballot { round: 5 node: 1 }}"));
  CHECK(has(promised(p, 1, {5, n1}),
            "Accept{slot: 1 ballot { round: 5 node: 1 } value { id { node: 1 boot: 1 number: 1 } }}"));
}

TEST_CASE("commands whose slot went to another batch are proposed again, before the others") {
  memory_journal disk;
  auto context = context_of(3);
  context.options["window"] = "1";
  desk p{disk, context};
  p.on(n1, some(1, 2));
  promised(p, 1, {1, n1});
  p.on(n1, some(3, 3));
  CHECK(has(p.on(n1, decided(1, batch_of(n2, 7))), "Prepare{slot: 2 "));
  // All three wait again, and none of them was ordered: they can be taken back.
  CHECK(p.on(n1, back({1, 2, 3})) == "send_now n1 not_ordered{1#1, 1#2, 1#3}");
}

TEST_CASE("only commands that never left can be taken back") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  promised(p, 1, {1, n1});
  p.on(n1, some(2, 3));
  CHECK(p.on(n1, back({1, 2, 9})) == "send_now n1 not_ordered{1#2}");
  CHECK(p.on(n1, back({2})) == "send_now n1 not_ordered{}");
  const auto text = promised(p, 2, {2, n1});
  CHECK(has(text, "Accept{slot: 2 "));
  // The last one was taken back under way: the prepared slot gets a no-op.
  p.on(n1, some(4, 4));
  p.on(n1, back({4}));
  CHECK(has(promised(p, 3, {3, n1}), "noop: true"));
}

TEST_CASE("a command that was proposed twice cannot be taken back once one copy has left") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  promised(p, 1, {1, n1});
  p.on(n1, some(1, 2));
  CHECK(p.on(n1, back({1, 2})) == "send_now n1 not_ordered{1#2}");
}

TEST_CASE("what a fast-forward leaves in doubt is proposed again and cannot be taken back") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  promised(p, 1, {1, n1});
  CHECK(has(p.on(n1, about_slot<px::Advanced>(20)), "Prepare{slot: 21 "));
  CHECK(p.on(n1, back({1})) == "send_now n1 not_ordered{}");
  CHECK(has(promised(p, 21, {2, n1}), "Accept{slot: 21 "));
}

TEST_CASE("a slot that holds up others is taken over: what was voted for, what waits, or a no-op") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  CHECK(p.on(n1, about_slot<px::Takeover>(4)) ==
        "note takes over slot 4\nsave r\n"
        "send n1,n2,n3 Prepare{slot: 4 ballot { round: 1 node: 1 }}\n"
        "set_timer 1 10000us");
  CHECK(p.on(n1, about_slot<px::Takeover>(4)) == "");
  CHECK(has(
      promised(p, 4, {1, n1}),
      "Accept{slot: 4 ballot { round: 1 node: 1 } value { id { node: 1 boot: 1 number: 1 } noop: true }}+0"));
  p.on(n1, about_slot<px::Takeover>(5));
  p.on(n1, promise(5, {2, n1}));
  CHECK(has(p.on(n3, promise(5, {2, n1}, {1, n2}, batch_of(n2, 3))),
            "value { id { node: 2 boot: 1 number: 3 } }}+2"));
  // A nack does not end it.
  p.on(n1, about_slot<px::Takeover>(6));
  p.on(n2, nack(6, {3, n1}, {9, n2}));
  p.pass(60ms);
  CHECK(has(p.tick(), "Prepare{slot: 6 ballot { round: 10 node: 1 }}"));
}

TEST_CASE("silence is answered with repeats, at growing intervals, to those who are silent") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  p.on(n1, promise(1, {1, n1}));
  p.pass(20ms);
  CHECK(p.tick() == "set_timer 1 10000us");
  p.pass(10ms);
  CHECK(p.tick() == "send n2,n3 Prepare{slot: 1 ballot { round: 1 node: 1 }}\nset_timer 1 10000us");
  p.pass(50ms);
  CHECK(p.tick() == "set_timer 1 10000us");
  p.pass(10ms);
  CHECK(has(p.tick(), "Prepare"));
  p.on(n2, promise(1, {1, n1}));
  p.pass(30ms);
  CHECK(has(p.tick(), "send_now n1,n2,n3 Accept{slot: 1"));
  p.on(n1, decided(1, batch_of(n1, 1)));
  CHECK(p.tick() == "");
}

TEST_CASE("no round is used again after a restart") {
  memory_journal disk;
  {
    desk p{disk, context_of(3)};
    p.on(n1, some(1, 1));
  }
  desk p{disk, context_of(3)};
  const auto first = proposer::rounds_reserved + 1;
  CHECK(p.on(n1, some(2, 2))
            .starts_with("save r\nsend n1,n2,n3 Prepare{slot: 1 ballot { round: " + std::to_string(first)));
}

TEST_CASE("late and foreign answers change nothing") {
  memory_journal disk;
  desk p{disk, context_of(3)};
  p.on(n1, some(1, 1));
  CHECK(p.on(n2, promise(1, {0, n1})) == "");
  CHECK(p.on(n2, promise(9, {1, n1})) == "");
  CHECK(p.on(n2, nack(1, {0, n1}, {7, n2})) == "");
  CHECK(p.on(n2, decided(1, batch_of(n2, 1))) == "");
  CHECK(p.on(n2, about_slot<px::Takeover>(1)) == "");
  CHECK(p.on(n2, about_slot<px::Advanced>(1)) == "");
  // A vote whose bytes got lost on the way is no promise.
  auto hollow = promise(1, {1, n1}, {1, n2}, batch_of(n2, 1));
  hollow.body = {};
  CHECK(p.on(n2, hollow) == "");
  CHECK(p.on(n1, promise(1, {1, n1})) == "");
}

TEST_CASE("a single member decides alone") {
  memory_journal disk;
  desk p{disk, context_of(1)};
  p.on(n1, some(1, 1));
  CHECK(has(p.on(n1, promise(1, {1, n1})), "send_now n1 Accept{slot: 1"));
}

TEST_CASE("options are checked by name and range") {
  struct row {
    const char* name;
    const char* text;
    bool good;
  };
  static constexpr row table[] = {
      {"window", "1", true},
      {"window", "64", true},
      {"window", "0", false},
      {"window", "65", false},
      {"window", "", false},
      {"window", "8x", false},
      {"window", "-1", false},
      {"takeover_after_ms", "5", true},
      {"takeover_after_ms", "4", false},
      {"resend_after_ms", "30", true},
      {"resend_after_ms", "99999999999999999999", false},
      {"windows", "8", false},
  };
  for (const auto& r : table) {
    paxos::options out;
    const auto wrong = paxos::read_options({{r.name, r.text}}, out);
    CHECK_MESSAGE(!wrong.has_value() == r.good, r.name, " = ", r.text);
    if (wrong) {
      CHECK(wrong->code == errc::bad_config);
      CHECK(has(wrong->message, r.name));
    }
  }
}

}  // namespace quorate::testing
