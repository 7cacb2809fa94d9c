#include "actors/message.hpp"

#include "actors/messages.pb.h"
#include "actors/traffic.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

TEST_CASE("a message's type says for which role it is") {
  CHECK(box::of(submission{}).to() == port::replica);
  CHECK(box::of(propose{}).to() == port::proposer);
  CHECK(box::of(forget{}).to() == port::acceptor);
  CHECK(box::of(barrier{}).to() == port::learner);
  CHECK(box::of(outcomes{}).to() == port::edge);
  CHECK(box::of(read_job{}).to() == port::reader);
  CHECK(box::of(client_replies{}).to() == port::gateway);
  CHECK(to_string(port::sync) == "sync");
  CHECK(to_string(static_cast<port>(200)) == "unknown");
}

TEST_CASE("a box gives out what was put in, as that type only") {
  const auto b = box::of(reached{token{7}});
  REQUIRE(b.get<reached>());
  CHECK(b.get<reached>()->id == token{7});
  CHECK(b.get<barrier>() == nullptr);
  CHECK(b.text() == "reached{7}");
  CHECK(b.type().name == "reached");
  CHECK(&b.type() == &box::of(reached{}).type());
  CHECK(static_cast<bool>(b));
  CHECK(!box{});
}

TEST_CASE("taking a message moves it where nobody shares it and copies it where somebody does") {
  propose msg;
  msg.commands.resize(3);
  const auto* storage = msg.commands.data();
  auto only = box::of(std::move(msg));
  auto taken = only.take<propose>();
  CHECK(taken.commands.data() == storage);
  CHECK(only.get<propose>()->commands.empty());

  auto first = box::of(std::move(taken));
  auto second = first;
  CHECK(first.take<propose>().commands.data() != storage);
  CHECK(second.get<propose>()->commands.size() == 3);
  first = box{};
  CHECK(second.take<propose>().commands.data() == storage);
}

TEST_CASE("a Protobuf message and one with a payload name themselves and their size") {
  wire::Heartbeat beat;
  beat.set_number(5);
  const auto plain = box::of(beat);
  CHECK(plain.type().name == "Heartbeat");
  CHECK(plain.text() == "Heartbeat{number: 5}");
  const with_payload<wire::Heartbeat> loaded{beat, payload{std::string(1'000, 'x')}};
  CHECK(box::of(loaded).text() == "Heartbeat{number: 5}+1000");
  CHECK(box::of(loaded).type().name == "Heartbeat");
  CHECK(box::of(loaded).wire_size() == plain.wire_size() + 1'000);
  // The same name, but not the same type.
  CHECK(box::of(loaded).get<wire::Heartbeat>() == nullptr);
}

TEST_CASE("the wire size of a list grows with its bodies") {
  submission msg;
  const auto none = box::of(msg).wire_size();
  msg.commands.push_back({{}, 0, command_kind::machine, "k", payload{std::string(500, 'x')}});
  CHECK(box::of(msg).wire_size() >= none + 500);
}

TEST_CASE("messages within a node have a text that shows what matters") {
  const command_id a{session_id{8}, sequence{1}};
  const command_id nonce{session_id{0}, sequence{9}};
  CHECK(text(submission{{{a, 0, command_kind::machine, "k", payload{"xyz"}},
                         {nonce, 0, command_kind::open_session, "", {}}}}) ==
        "submission{8#1+3, open 0#9+0}");
  CHECK(text(outcomes{{{a, errc::ok, {}}, {nonce, errc::session_expired, {}}}}) ==
        "outcomes{8#1 ok, 0#9 session_expired}");
  CHECK(text(take_back{{a, nonce}, token{3}}) == "take_back{8#1, 0#9}");
  CHECK(text(queries{{{token{1}, true, {}}, {token{2}, false, {}}}}) == "queries{1, 2 local}");
  CHECK(text(client_replies{{{token{4}, errc::no_quorum, {}}}}) == "client_replies{4 no_quorum}");
  CHECK(text(query_results{{{token{4}, errc::ok, {}}}}) == "query_results{4 ok}");
  CHECK(text(delivered{{{node_id{2}, boot_id{3}, 4}, {}}, cursor{5}, 0}) == "delivered{n2.3.4 at 5}");
  CHECK(text(fell_behind{}) == "fell_behind{}");
}

TEST_CASE("a slice of a payload keeps the whole alive and equals its bytes") {
  payload part;
  {
    const payload whole{std::string(100, 'a') + "needle" + std::string(100, 'b')};
    part = whole.slice(whole.view().substr(100, 6));
  }
  CHECK(part.view() == "needle");
  CHECK(part == payload{"needle"});
  CHECK(!(part == payload{"needl"}));
  CHECK(payload{}.empty());
}

}  // namespace quorate::testing
