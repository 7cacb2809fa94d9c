#include "protocols/paxos/acceptor.hpp"

#include "tests/protocols/paxos_messages.hpp"
#include "tests/protocols/role_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using paxos::acceptor;
using desk = role_desk<acceptor>;

forget forget_to(px::slot s) {
  return forget{cursor{s}};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr std::string_view row_1 = "\\00\\00\\00\\00\\00\\00\\00\\01";

}  // namespace

TEST_CASE("an acceptor saves a promise before it gives it, and gives the same again when asked again") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  CHECK(a.on(n2, prepare(1, {5, n2})) ==
        "send_now n1 InUse{slot: 1}\n"
        "save p" +
            std::string{row_1} +
            "\n"
            "send n2 Promise{slot: 1 ballot { round: 5 node: 2 } highest_used: 1}+0");
  CHECK(a.on(n2, prepare(1, {5, n2})) ==
        "send n2 Promise{slot: 1 ballot { round: 5 node: 2 } highest_used: 1}+0");
}

TEST_CASE("an acceptor refuses a ballot below its promise, in both phases, by node where rounds are equal") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  a.on(n2, prepare(1, {5, n2}));
  CHECK(
      a.on(n1, prepare(1, {5, n1})) ==
      "send_now n1 Nack{slot: 1 ballot { round: 5 node: 1 } promised { round: 5 node: 2 } highest_used: 1}");
  CHECK(
      a.on(n3, accept(1, {4, n3}, batch_of(n3, 1))) ==
      "send_now n3 Nack{slot: 1 ballot { round: 4 node: 3 } promised { round: 5 node: 2 } highest_used: 1}");
  CHECK(has(a.on(n3, prepare(1, {5, n3})), "send n3 Promise"));
}

TEST_CASE("an acceptor saves a vote before it tells all learners, its own with the bytes") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  const auto text = a.on(n2, accept(1, {5, n2}, batch_of(n2, 9)));
  const std::string head =
      "Accepted{slot: 1 ballot { round: 5 node: 2 } value { id { node: 2 boot: 1 number: 9 } }}";
  const auto sends = "send n2,n3 " + head + "+0\nsend n1 " + head + "+2";
  CHECK(text == "send_now n1 InUse{slot: 1}\nsave v" + std::string{row_1} + " batch n2.1.9\n" + sends);
  // The same again: not saved again, told again.
  CHECK(a.on(n2, accept(1, {5, n2}, batch_of(n2, 9))) == sends);
}

TEST_CASE("an Accept that lost its bytes gets no vote") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  auto hollow = accept(1, {5, n2}, batch_of(n2, 9));
  hollow.body = {};
  const auto text = a.on(n2, hollow);
  CHECK(!has(text, "save"));
  CHECK(!has(text, "Accepted"));
}

TEST_CASE("a vote counts as a promise and is told with later promises") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  a.on(n2, accept(1, {5, n2}, batch_of(n2, 9)));
  CHECK(has(a.on(n1, prepare(1, {4, n1})), "Nack"));
  CHECK(has(a.on(n3, prepare(1, {6, n3})), "send n3 Promise{slot: 1 ballot { round: 6 node: 3 } voted { "
                                           "round: 5 node: 2 } value { id { node: 2 boot: 1 "
                                           "number: 9 } } highest_used: 1}+2"));
}

TEST_CASE("an acceptor keeps promises, votes and its floor through a restart") {
  memory_journal disk;
  {
    desk a{disk, context_of(3)};
    a.on(n2, accept(1, {1, n2}, batch_of(n2, 1)));
    a.on(n1, forget_to(1));
    a.on(n2, prepare(2, {5, n2}));
    a.on(n2, accept(3, {5, n2}, batch_of(n2, 9)));
    a.on(n2, accept(4, {5, n2}, noop_of(n2, 10)));
  }
  desk a{disk, context_of(3)};
  CHECK(a.start() == "send_now n1 InUse{slot: 4}");
  CHECK(a.on(n3, prepare(1, {9, n3})) == "send n3 Forgotten{floor: 1}");
  CHECK(has(a.on(n1, prepare(2, {4, n1})), "Nack"));
  CHECK(has(a.on(n1, accept(3, {4, n1}, batch_of(n1, 1))), "Nack"));
  CHECK(has(a.on(n3, prepare(3, {6, n3})), "number: 9 } } highest_used: 4}+2"));
  CHECK(has(a.on(n3, prepare(4, {6, n3})),
            "voted { round: 5 node: 2 } value { id { node: 2 boot: 1 number: 10 } noop: "
            "true } highest_used: 4}+0"));
}

TEST_CASE("what is forgotten is never answered as if it were new, and the floor does not fall") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  for (px::slot s = 1; s <= 3; ++s)
    a.on(n2, accept(s, {1, n2}, batch_of(n2, s)));
  const auto text = a.on(n1, forget_to(2));
  CHECK(has(text, "save f\nerase p"));
  CHECK(a.on(n1, forget_to(1)) == "");
  CHECK(a.on(n2, forget_to(3)) == "");  // only the replica beside us may say so
  CHECK(a.on(n2, prepare(2, {9, n2})) == "send n2 Forgotten{floor: 2}");
  CHECK(a.on(n2, accept(2, {9, n2}, batch_of(n2, 4))) == "send n2 Forgotten{floor: 2}");
  const auto asked = a.on(n3, ask(1, 3, false));
  CHECK(asked.starts_with("send n3 Forgotten{floor: 2}\nsend n3 Accepted{slot: 3"));
  std::size_t rows = 0;
  disk.view(a.space)->scan("", "", [&](journal_row&&) { return ++rows > 0; });
  CHECK(rows == 2);  // the floor, and the vote in slot 3
}

TEST_CASE("an answer to Ask is bounded by slots and by bytes") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  for (px::slot s = 1; s <= 100; ++s)
    a.on(n2, accept(s, {1, n2}, batch_of(n2, s)));
  const auto count = [](const std::string& text) {
    std::size_t n = 0;
    for (auto at = text.find("Accepted"); at != std::string::npos; at = text.find("Accepted", at + 1))
      ++n;
    return n;
  };
  CHECK(count(a.on(n3, ask(1, 100, false))) == acceptor::ask_slots_max);
  CHECK(count(a.on(n3, ask(99, 1000, false))) == 2);
  for (px::slot s = 101; s <= 110; ++s)
    a.on(n2, accept(s, {1, n2}, {{n2, boot_id{1}, s}, false, payload{std::string(100'000, 'x')}}));
  CHECK(count(a.on(n3, ask(101, 110, true))) == 3);
  CHECK(count(a.on(n3, ask(101, 110, false))) == 10);
}

TEST_CASE("bytes that are not in memory any more are read back") {
  memory_journal disk;
  auto context = context_of(3);
  context.limits.set("acceptor.recent_bytes_max", 0);
  desk a{disk, context};
  a.on(n2, accept(1, {1, n2}, batch_of(n2, 1)));
  a.on(n2, accept(2, {1, n2}, batch_of(n2, 2)));

  CHECK(has(a.on(n3, prepare(1, {2, n3})), "read v" + std::string{row_1}));
  CHECK(has(a.rows(a.wanted()),
            "send n3 Promise{slot: 1 ballot { round: 2 node: 3 } voted { round: 1 node: 2 }"));

  a.on(n3, ask(1, 2, true));
  const auto both = a.rows(a.wanted());
  CHECK(has(both, "Accepted{slot: 1"));
  CHECK(has(both, "Accepted{slot: 2"));
  CHECK(has(both, "+2"));

  // The promise was given to somebody else meanwhile: the first asker gets nothing.
  a.on(n3, prepare(2, {2, n3}));
  const auto late = a.wanted();
  a.on(n1, prepare(2, {3, n1}));
  CHECK(a.rows(late) == "");
  // So was the vote.
  a.on(n3, ask(1, 1, true));
  const auto old = a.wanted();
  a.on(n1, accept(1, {4, n1}, batch_of(n1, 1)));
  CHECK(a.rows(old) == "");
  CHECK(a.rows({token{999}, {}, true}) == "");
}

TEST_CASE("a barrier is told the highest slot voted for, or the floor") {
  memory_journal disk;
  desk a{disk, context_of(3)};
  px::BarrierQuery query;
  query.set_token(7);
  query.set_boot(2);
  CHECK(a.on(n3, query) == "send n3 BarrierReply{token: 7 boot: 2}");
  a.on(n2, prepare(9, {1, n2}));
  a.on(n2, accept(4, {1, n2}, batch_of(n2, 1)));
  CHECK(a.on(n3, query) == "send n3 BarrierReply{token: 7 boot: 2 highest_voted: 4}");
  a.on(n1, forget_to(6));
  CHECK(a.on(n3, query) == "send n3 BarrierReply{token: 7 boot: 2 highest_voted: 6}");
}

}  // namespace quorate::testing
