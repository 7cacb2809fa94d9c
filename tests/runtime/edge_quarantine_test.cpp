// An edge whose own replica, or another node's, is in quarantine.
#include "actors/bytes.hpp"
#include "runtime/edge.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr std::uint64_t deadlines = 1;

command_id in_8(std::uint64_t number) {
  return {session_id{8}, sequence{number}};
}

outcomes refused(std::uint64_t number) {
  return {{{in_8(number), errc::state_differs, {}}}};
}

const quarantined stop{payload{"differs"}};

/// An edge of node 1 in session 8.
struct desk : lone_role<edge> {
  explicit desk(bool in_session = true) : lone_role{n1, boot_id{3}} {
    start();
    if (!in_session)
      return;
    std::string bytes;
    put_little(bytes, std::uint64_t{8});
    on(n1, outcomes{{{sent<submission>().at(0).commands.at(0).id, errc::ok, payload{std::move(bytes)}}}});
  }
  std::string ask(std::uint64_t id, request_kind kind = request_kind::write) {
    return on(n1, client_requests{{{token{id}, kind, "k", payload{"x"}, 1s}}});
  }
};

}  // namespace

TEST_CASE("in quarantine every request is refused at once, reads of both kinds too") {
  for (const auto in_session : {true, false}) {
    desk d{in_session};
    d.on(n1, stop);
    for (const auto kind : {request_kind::write, request_kind::read, request_kind::read_local}) {
      CHECK(d.ask(1, kind) == "send_now n1 client_replies{1 state_differs}");
      CHECK(d.sent<client_replies>().at(0).list.at(0).body.view() == "differs");
    }
  }
}

TEST_CASE("what is under way when the quarantine begins is answered by what is known of it") {
  desk d;
  d.ask(1);
  d.on(n1, route_mode{false});
  d.ask(2);
  d.on(n1, routed{{{n2, {in_8(1)}}}, {}});
  d.ask(3);
  d.on(n1, routed{{}, {in_8(2)}});
  d.ask(4, request_kind::read);
  d.ask(5, request_kind::read_local);
  // 1 may have been ordered, by way of a replica that cannot be believed; 2 and 3 are other nodes' business.
  CHECK(d.on(n1, stop) == "send_now n1 client_replies{1 unknown_outcome, 4 state_differs, 5 state_differs}");
  CHECK(d.on(n1, query_results{{{token{1}, errc::ok, payload{"old"}}}}) == "");
  CHECK(!has(d.on(n1, outcomes{{{in_8(0), errc::ok, {}}}}), "client_replies"));
  CHECK(has(d.on(n2, outcomes{{{in_8(1), errc::ok, {}}}}), "client_replies{2 ok}"));
  CHECK(has(d.on(n1, route_again{}), "route{8#2+1"));
}

TEST_CASE("what has not left the edge when the quarantine begins was certainly not executed") {
  desk d{false};
  d.ask(1);
  d.ask(2);
  CHECK(d.on(n1, stop) == "send_now n1 client_replies{1 state_differs, 2 state_differs}");
  d.pass(2s);
  CHECK(!has(d.tick(deadlines), "client_replies"));
}

TEST_CASE("a command that another node refuses in quarantine goes to one that has not had it") {
  desk d;
  d.on(n1, route_mode{false});
  d.ask(1);
  d.on(n1, routed{{{n2, {in_8(0)}}}, {}});
  const auto said = d.on(n2, refused(0));
  CHECK(!has(said, "client_replies"));
  REQUIRE(d.sent<route>().size() == 1);
  CHECK(d.sent<route>().at(0).avoid == std::vector{n2});
  // Late, of a copy that was given up: no news.
  d.on(n1, routed{{{node_id{3}, {in_8(0)}}}, {}});
  CHECK(!has(d.on(n2, refused(0)), "route"));
  CHECK(has(d.on(node_id{3}, outcomes{{{in_8(0), errc::ok, {}}}}), "client_replies{1 ok}"));
}

TEST_CASE("a command that the own replica refuses was not executed, unless another node has had it") {
  desk d;
  d.ask(1);
  CHECK(has(d.on(n1, refused(0)), "client_replies{1 state_differs}"));
  d.on(n1, route_mode{false});
  d.ask(2);
  d.on(n1, routed{{{n2, {in_8(1)}}}, {}});
  d.pass(600ms);
  d.tick(deadlines);
  d.on(n1, routed{{{n1, {in_8(1)}}}, {}});
  CHECK(has(d.on(n1, refused(1)), "client_replies{2 unknown_outcome}"));
}

}  // namespace quorate::testing
