// An edge in the hands of a cluster that does whatever it may.
#include "runtime/edge.hpp"

#include "actors/bytes.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

#include <set>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};

/// Executes, refuses, withdraws and forgets commands, and answers in any order. Each request's body is its
/// own name, so that a wrong answer shows.
struct world {
  explicit world(std::uint64_t seed) : random(seed), client{n1, boot_id{1}, edge_limits{30, 2'000}} {
    client.start();
    take();
  }

  void take() {
    for (auto& s : client.sent<submission>())
      for (auto& c : s.commands)
        if (c.kind == command_kind::open_session)
          openings.push_back(c.id);
        else
          commands.push_back(c);
    for (auto& w : client.sent<withdraw>())
      questions.push_back(w);
    for (auto& q : client.sent<queries>())
      for (auto& one : q.list)
        reads.push_back(one);
    for (auto& dropped : client.sent<drop_queries>())
      for (const auto id : dropped.ids)
        std::erase_if(reads, [&](const query& q) { return q.id == id; });
    for (const auto& replies : client.sent<client_replies>())
      for (const auto& r : replies.list)
        answered(r);
    for (const auto& t : client.wanted<timer_effect>())
      due[t.tag.value] = client.now() + t.after;
    for (const auto& t : client.wanted<cancel_effect>())
      due.erase(t.tag.value);
  }

  void answered(const client_reply& r) {
    const auto name = std::to_string(r.id.value);
    REQUIRE(asked.contains(name));
    REQUIRE(answers.emplace(name, r.code).second);
    if (r.code == errc::ok) {
      REQUIRE(r.body.view() == "did " + name);
      REQUIRE((executed.contains(name) || is_read.contains(name)));
    }
    // Commands that still lie about must not be executed any more: checked when one is.
  }

  void request() {
    const auto name = std::to_string(++names);
    client_request r{token{names}, request_kind::write, "k", payload{name}, {}};
    r.timeout = std::chrono::milliseconds{random.between(5, 200)};
    if (random.chance(30)) {
      r.kind = random.chance(50) ? request_kind::read : request_kind::read_local;
      is_read.insert(name);
    } else if (random.chance(3)) {
      r.body = payload{std::string(3'000, 'x')};
    }
    asked.insert(name);
    client.on(n1, client_requests{{r}});
    take();
  }

  template <class T>
  std::optional<T> pick(std::vector<T>& from) {
    if (from.empty())
      return std::nullopt;
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(random.below(from.size()));
    auto out = *at;
    from.erase(at);
    return out;
  }

  void tell(outcome result) { back.push_back(outcomes{{std::move(result)}}); }

  void open() {
    const auto id = pick(openings);
    if (!id)
      return;
    std::string bytes;
    if (random.chance(10)) {
      tell({*id, errc::unknown_outcome, payload{"a sentence in place of a session"}});
      return;
    }
    sessions.insert(++last_session);
    put_little(bytes, last_session);
    tell({*id, errc::ok, payload{std::move(bytes)}});
  }

  void execute() {
    const auto c = pick(commands);
    if (!c)
      return;
    const std::string name{c->body.view()};
    if (!sessions.contains(c->id.session.value) || random.chance(4)) {
      tell({c->id, errc::session_expired, {}});
      return;
    }
    const auto answer = answers.find(name);
    if (answer != answers.end())
      REQUIRE(answer->second == errc::unknown_outcome);
    REQUIRE(executed.insert(name).second);
    const auto code = random.chance(5) ? errc::unknown_outcome : errc::ok;
    tell({c->id, code, payload{"did " + name}});
  }

  void withdraw_some() {
    const auto q = pick(questions);
    if (!q)
      return;
    withdrawn out{{}, q->id};
    for (const auto& id : q->ids)
      if (random.chance(50) && std::erase_if(commands, [&](const command& c) { return c.id == id; }) > 0)
        out.ids.push_back(id);
    settled.push_back(out);
  }

  void step() {
    switch (random.below(11)) {
    case 0:
    case 1:
    case 2:
      return request();
    case 3:
      return open();
    case 4:
      return execute();
    case 5:
      return withdraw_some();
    case 6:
      if (auto results = pick(back)) {
        client.on(n1, *results);
        take();
        // Told twice; but an edge of ours hears of each session once.
        if (random.chance(10) && results->list[0].id.session != session_id{0}) {
          client.on(n1, *results);
          take();
        }
      }
      return;
    case 7:
      if (auto answer = pick(settled)) {
        client.on(n1, *answer);
        take();
      }
      return;
    case 8:
      if (auto q = pick(reads)) {
        client.on(n1, query_results{{{q->id, errc::ok, payload{"did " + std::string{q->request.view()}}}}});
        take();
      }
      return;
    case 9:
      if (random.chance(5) && !sessions.empty())
        sessions.erase(sessions.begin());
      return;
    default:
      pass(std::chrono::milliseconds{random.below(20)});
    }
  }

  void pass(duration time) {
    client.pass(time);
    const auto all = due;
    for (const auto& [tag, at] : all)
      if (at <= client.now() && due.erase(tag) > 0) {
        client.tick(tag);
        take();
      }
  }

  prng random;
  lone_role<edge> client;
  std::uint64_t names = 0;
  std::uint64_t last_session = 100;
  std::set<std::uint64_t> sessions;
  std::vector<command_id> openings;
  std::vector<command> commands;
  std::vector<withdraw> questions;
  std::vector<query> reads;
  std::vector<outcomes> back;
  std::vector<withdrawn> settled;
  std::map<std::uint64_t, time_point> due;
  std::set<std::string> asked;
  std::set<std::string> is_read;
  std::set<std::string> executed;
  std::map<std::string, errc> answers;
};

}  // namespace

TEST_CASE("every request is answered exactly once and no answer lies, whatever comes in whichever order") {
  std::map<errc, std::size_t> seen;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    world w{seed};
    for (int i = 0; i < 600; ++i)
      w.step();
    // Deadlines pass; the node itself still answers.
    for (int i = 0; i < 100; ++i) {
      w.pass(20ms);
      w.withdraw_some();
      if (auto answer = w.pick(w.settled)) {
        w.client.on(n1, *answer);
        w.take();
      }
    }
    REQUIRE(w.answers.size() == w.asked.size());
    // What still lies about is executed now, and must not make a liar of anybody.
    while (!w.commands.empty())
      w.execute();
    for (const auto& [name, code] : w.answers)
      ++seen[code];
  }
  for (const auto code : {errc::ok, errc::no_quorum, errc::unknown_outcome, errc::overloaded})
    CHECK_MESSAGE(seen[code] > 500, to_string(code));
}

}  // namespace quorate::testing
