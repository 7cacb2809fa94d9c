// An edge whose balancer is asked where commands go.
#include "actors/bytes.hpp"
#include "runtime/edge.hpp"
#include "tests/runtime/lone_role.hpp"
#include "tests/runtime/slow_account.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr node_id n3{3};
constexpr std::uint64_t deadlines = 1;

command_id in_8(std::uint64_t number) {
  return {session_id{8}, sequence{number}};
}

outcomes result_of(const command_id& id, errc code = errc::ok) {
  return {{{id, code, payload{"done"}}}};
}

/// An edge of node 1 in session 8 that asks its balancer.
struct desk : lone_role<edge> {
  std::shared_ptr<slow_account> account = std::make_shared<slow_account>();

  desk() : desk(std::make_shared<slow_account>()) {}
  explicit desk(const std::shared_ptr<slow_account>& links)
      : lone_role{n1, boot_id{3}, edge_limits{}, limits::session_window, links}, account(links) {
    start();
    std::string bytes;
    put_little(bytes, std::uint64_t{8});
    on(n1, outcomes{{{sent<submission>().at(0).commands.at(0).id, errc::ok, payload{std::move(bytes)}}}});
    on(n1, route_mode{false});
  }
  std::string write(std::uint64_t id, duration timeout = 1s, const std::string& body = "x") {
    return on(n1, client_requests{{{token{id}, request_kind::write, "k", payload{body}, timeout}}});
  }
  std::string went(node_id node, std::uint64_t number) {
    return on(n1, routed{{{node, {in_8(number)}}}, {}});
  }
};

}  // namespace

TEST_CASE("a command goes to the balancer, its outcome comes from the node, and the balancer hears of it") {
  desk d;
  CHECK(has(d.write(1), "send_now n1 route{8#0+1}"));
  CHECK(d.went(n2, 0) == "");
  d.pass(3ms);
  CHECK(d.on(n2, result_of(in_8(0))) ==
        "send_now n1 client_replies{1 ok}\nsend_now n1 feedback{n2 answered 1}");
  CHECK(d.sent<feedback>().at(0).of.at(n2).waited == 3ms);
  // Another copy's outcome.
  CHECK(d.on(n3, result_of(in_8(0))) == "");
}

TEST_CASE(
    "an outcome that is faster than the word where the command went is counted once that word is there") {
  desk d;
  d.write(1);
  CHECK(d.on(n2, result_of(in_8(0))) == "send_now n1 client_replies{1 ok}");
  CHECK(d.went(n2, 0) == "send_now n1 feedback{n2 released 1}");
}

TEST_CASE("a command that another node was handed is not taken back: unknown at its deadline") {
  desk d;
  d.write(1, 100ms);
  d.write(2, 100ms);
  d.went(n2, 0);
  d.went(n1, 1);
  d.pass(100ms);
  const auto said = d.tick(deadlines);
  CHECK(d.sent<withdraw>().at(0).ids == std::vector{in_8(1)});
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 unknown_outcome}");
  CHECK(has(said, "feedback{n2 failed 1}"));
  const auto question = token{1};
  CHECK(d.on(n1, withdrawn{{in_8(1)}, question}) ==
        "send_now n1 client_replies{2 no_quorum}\nsend_now n1 feedback{n1 failed 1}");
}

TEST_CASE("while the balancer is choosing nothing is said; what went nowhere was never executed") {
  desk d;
  d.write(1, 100ms);
  d.write(2, 100ms);
  d.pass(150ms);
  d.tick(deadlines);
  CHECK(d.sent<client_replies>().empty());
  CHECK(d.sent<withdraw>().empty());
  d.on(n1, routed{{{n2, {in_8(0)}}}, {in_8(1)}});
  d.tick(deadlines);
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 unknown_outcome, 2 no_quorum}");
}

TEST_CASE("what went nowhere goes again when there is room") {
  desk d;
  d.write(1);
  d.on(n1, routed{{}, {in_8(0)}});
  CHECK(d.on(n1, route_again{}) == "send_now n1 route{8#0+1}");
  CHECK(d.on(n1, route_again{}) == "");
}

TEST_CASE("what a lost node had goes to one that has not had it, under the same id") {
  desk d;
  d.write(1);
  d.write(2);
  d.went(n2, 0);
  d.went(n3, 1);
  CHECK(d.on(n1, nodes_lost{{n2}}) == "send_now n1 route{8#0+1 not n2}\nsend_now n1 feedback{n2 failed 1}");
  d.went(n3, 0);
  CHECK(d.on(n1, nodes_lost{{n3}}) == "send_now n1 route{8#0+1 not n2, n3}\nsend_now n1 route{8#1+1 not "
                                      "n3}\nsend_now n1 feedback{n3 failed 2}");
  d.went(n1, 0);
  // Its own replica keeps it, whatever is said of this node; but copies are elsewhere, so it is not taken
  // back.
  CHECK(d.on(n1, nodes_lost{{n1}}) == "");
  d.pass(1s);
  d.tick(deadlines);
  CHECK(d.sent<withdraw>().empty());
}

TEST_CASE("a node that does not answer has 500 ms, the next one twice as much, the own replica for ever") {
  desk d;
  d.write(1, 60s);
  d.went(n2, 0);
  d.pass(495ms);
  CHECK(!has(d.tick(deadlines), "route{"));
  d.pass(5ms);
  CHECK(has(d.tick(deadlines), "route{8#0+1 not n2}"));
  d.went(n3, 0);
  d.pass(995ms);
  CHECK(!has(d.tick(deadlines), "route{"));
  d.pass(5ms);
  CHECK(has(d.tick(deadlines), "route{8#0+1 not n2, n3}"));
  d.went(n1, 0);
  d.pass(50s);
  CHECK(!has(d.tick(deadlines), "route{"));
}

TEST_CASE("a long command goes to nobody else while it, or what its node makes of it, is on its way") {
  desk d;
  const std::string large(link_account::short_bytes_max + 1, 'x');
  d.write(1, 60s, large);
  d.write(2, 60s);
  d.went(n2, 0);
  d.went(n2, 1);
  d.account->given[n2] = 20'000;
  d.pass(500ms);
  const auto text = d.tick(deadlines);
  CHECK(!has(text, "8#0"));
  CHECK(has(text, "route{8#1+1 not n2}"));  // a short one does not wait behind it
  d.account->took[n2] = 20'000;
  d.account->arrives.insert(n2);
  d.pass(500ms);
  CHECK(!has(d.tick(deadlines), "8#0"));
  d.account->arrives.clear();
  d.pass(495ms);
  CHECK(!has(d.tick(deadlines), "8#0"));
  d.pass(5ms);
  const auto last = d.tick(deadlines);
  CAPTURE(last);
  CHECK(has(last, "8#0"));
}

TEST_CASE("a refusal of one copy says nothing about others: only a command that never left goes again") {
  desk d;
  d.write(1);
  d.write(2);
  d.write(3);
  d.went(n2, 0);
  d.went(n1, 1);
  d.on(n1, routed{{}, {in_8(2)}});
  d.on(n1, outcomes{{{in_8(0), errc::session_expired, {}}, {in_8(1), errc::session_expired, {}}}});
  CHECK(text(d.sent<client_replies>().at(0)) == "client_replies{1 unknown_outcome}");
  const auto open = d.sent<submission>().at(0).commands.at(0);
  std::string bytes;
  put_little(bytes, std::uint64_t{9});
  d.on(n1, outcomes{{{open.id, errc::ok, payload{std::move(bytes)}}}});
  CHECK(d.sent<route>().at(0).commands.size() == 2);
  CHECK(d.sent<route>().at(0).commands.at(0).id == command_id{session_id{9}, sequence{0}});
}

TEST_CASE(
    "without a balancer's say commands go home at once, and the balancer hears of them with the deadlines") {
  desk d;
  d.write(1);
  d.went(n2, 0);
  d.on(n1, route_mode{true});
  CHECK(d.write(2) == "send_now n1 submission{8#1+1}");
  d.pass(2ms);
  CHECK(d.on(n1, result_of(in_8(1))) == "send_now n1 client_replies{2 ok}");
  CHECK(d.on(n2, result_of(in_8(0))) == "send_now n1 client_replies{1 ok}");
  d.pass(3ms);
  CHECK(d.tick(deadlines) == "send_now n1 feedback{n1 took 1 answered 1, n2 answered 1}");
  // Nothing more to tell.
  CHECK(d.tick(deadlines) == "");
}

}  // namespace quorate::testing
