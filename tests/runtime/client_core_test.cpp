#include "runtime/client_core.hpp"

#include "actors/bytes.hpp"
#include "runtime/opening_nonce.hpp"
#include "runtime/sessions.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

payload bytes_of(std::uint64_t number) {
  std::string out;
  put_little(out, number);
  return payload{std::move(out)};
}

/// What the client was told.
struct told {
  std::map<token, errc> codes;

  void take(const std::vector<client_core::result>& results) {
    for (const auto& r : results) {
      CHECK_MESSAGE(!codes.contains(r.id), "command " << r.id.value << " got two results");
      codes[r.id] = r.code;
    }
  }
};

/// A client with three nodes in its hands.
struct desk {
  client_core core{3, {.window = 8, .waiting_max = 16, .deadline = 1s, .retry_after = 100ms}, 7};
  told answers;
  std::vector<client_core::handed> handed;

  desk() {
    for (std::size_t n = 0; n < 3; ++n)
      core.connected(n, 0ns);
    turn();
  }
  void turn() {
    auto todo = core.take();
    answers.take(todo.results);
    handed = std::move(todo.commands);
  }
  /// Answers the opening of a session.
  void open(std::uint64_t session) {
    REQUIRE(handed.size() == 1);
    REQUIRE(handed[0].list[0].kind == command_kind::open_session);
    core.on(handed[0].node, {{handed[0].list[0].id, errc::ok, bytes_of(session)}}, 0ns);
    turn();
  }
  void submit(std::uint64_t id) {
    core.submit(token{id}, "k", bytes_of(id), 0ns);
    turn();
  }
  void tick(time_point now) {
    core.tick(now);
    turn();
  }
};

}  // namespace

TEST_CASE("a client hands nothing in before it has a session") {
  desk d;
  d.core.submit(token{1}, "k", payload{"v"}, 0ns);
  CHECK(d.core.take().commands.empty());
  CHECK(is_client_nonce(d.handed[0].list[0].id.number.value));
  d.open(77);
  REQUIRE(d.handed.size() == 1);
  CHECK(d.handed[0].list[0].id == command_id{session_id{77}, sequence{0}});
}

TEST_CASE("a command without an outcome is asked of another node under the same id") {
  desk d;
  d.open(77);
  d.submit(1);
  const auto first = d.handed.at(0);
  d.tick(90ms);
  CHECK(d.handed.empty());
  d.tick(110ms);
  REQUIRE(d.handed.size() == 1);
  CHECK(d.handed[0].node != first.node);
  CHECK(d.handed[0].list[0].id == first.list[0].id);
  // Whoever is heard first is right, and the other one's word comes too late to count.
  d.core.on(first.node, {{first.list[0].id, errc::ok, {}}}, 120ms);
  d.core.on(d.handed[0].node, {{first.list[0].id, errc::ok, {}}}, 130ms);
  d.turn();
  CHECK(d.answers.codes.at(token{1}) == errc::ok);
}

TEST_CASE("a node that is gone has its commands asked of another one at once") {
  desk d;
  d.open(77);
  d.submit(1);
  const auto first = d.handed.at(0);
  d.core.lost(first.node, 1ms);
  d.turn();
  REQUIRE(d.handed.size() == 1);
  CHECK(d.handed[0].node != first.node);
  CHECK(d.handed[0].list[0].id == first.list[0].id);
}

TEST_CASE("commands stay with the node that answers") {
  desk d;
  d.open(77);
  d.submit(1);
  const auto node = d.handed.at(0).node;
  for (std::uint64_t id = 2; id < 20; ++id) {
    d.core.on(node, {{d.handed.at(0).list[0].id, errc::ok, {}}}, 1ms);
    d.turn();
    d.submit(id);
    CHECK(d.handed.at(0).node == node);
  }
}

TEST_CASE("a node that lets commands wait gets no new ones until it is heard of again") {
  desk d;
  d.open(77);
  d.submit(1);
  const auto silent = d.handed.at(0).node;
  d.tick(110ms);
  d.submit(2);
  CHECK(d.handed.at(0).node != silent);
}

TEST_CASE("the deadline says what is known") {
  desk d;
  d.open(77);
  SUBCASE("a node may have ordered it") {
    d.submit(1);
    d.tick(1'001ms);
    CHECK(d.answers.codes.at(token{1}) == errc::unknown_outcome);
  }
  SUBCASE("every node that was asked has said that it will not") {
    d.submit(1);
    d.core.on(d.handed.at(0).node, {{d.handed[0].list[0].id, errc::overloaded, {}}}, 1ms);
    d.tick(1'001ms);
    CHECK(d.answers.codes.at(token{1}) == errc::overloaded);
  }
  SUBCASE("one of two nodes that were asked has said that it will not") {
    d.submit(1);
    d.core.on(d.handed.at(0).node, {{d.handed[0].list[0].id, errc::overloaded, {}}}, 1ms);
    d.tick(110ms);
    REQUIRE(d.handed.size() == 1);
    d.tick(1'001ms);
    CHECK(d.answers.codes.at(token{1}) == errc::unknown_outcome);
  }
  SUBCASE("nobody was asked: it waited behind the window") {
    for (std::uint64_t i = 1; i <= 9; ++i)
      d.submit(i);
    CHECK(d.handed.empty());
    d.tick(1'001ms);
    CHECK(d.answers.codes.at(token{9}) == errc::no_quorum);
  }
}

TEST_CASE("an expired session: what was handed in once goes again, what was handed in twice is unknown") {
  desk d;
  d.open(77);
  d.submit(1);
  const auto once = d.handed.at(0);
  SUBCASE("once") {
    d.core.on(once.node, {{once.list[0].id, errc::session_expired, {}}}, 1ms);
    d.turn();
    CHECK(d.answers.codes.empty());
    d.open(88);
    CHECK(d.handed.at(0).list[0].id == command_id{session_id{88}, sequence{0}});
    CHECK(d.handed[0].list[0].body == bytes_of(1));
  }
  SUBCASE("twice") {
    d.tick(110ms);
    d.core.on(once.node, {{once.list[0].id, errc::session_expired, {}}}, 120ms);
    d.turn();
    CHECK(d.answers.codes.at(token{1}) == errc::unknown_outcome);
  }
}

TEST_CASE("closing answers everything") {
  desk d;
  d.open(77);
  for (std::uint64_t i = 1; i <= 9; ++i)
    d.submit(i);
  d.core.close();
  d.turn();
  CHECK(d.answers.codes.size() == 9);
  CHECK(d.answers.codes.at(token{1}) == errc::unknown_outcome);
  CHECK(d.answers.codes.at(token{9}) == errc::shutting_down);
}

namespace {

/// A cluster that orders what comes, behind a network that loses and delays, with sessions that expire early.
struct rough_world {
  explicit rough_world(std::uint64_t seed) : random(seed) {}

  void run() {
    std::uint64_t asked = 0;
    for (int step = 0; step < 3'000; ++step) {
      now += 1ms;
      if (asked < 200 && random.below(4) == 0)
        core.submit(token{asked}, "k", bytes_of(asked), now), ++asked;
      const auto node = static_cast<std::size_t>(random.below(3));
      if (random.below(200) == 0)
        core.lost(node, now), up[node] = false;
      else if (!up[node] && random.below(20) == 0)
        core.connected(node, now), up[node] = true;
      if (random.below(300) == 0)
        static_cast<void>(open.open(log_index{++index}, 0));  // somebody else's; the oldest goes
      if (step % 10 == 0)
        core.tick(now);
      carry_out();
      deliver();
    }
    while (!held.empty())
      execute_one();
    // Whatever was still under way counts as unknown.
    core.close();
    answers.take(core.take().results);
    REQUIRE(answers.codes.size() == asked);
    for (const auto& [id, code] : answers.codes) {
      const auto times = executed[id.value];
      CHECK_MESSAGE(times <= 1, "command " << id.value << " was executed " << times << " times");
      if (code == errc::ok)
        CHECK_MESSAGE(times == 1, "command " << id.value << " was told ok");
      else if (code != errc::unknown_outcome)
        CHECK_MESSAGE(times == 0, "command " << id.value << " was told " << to_string(code));
    }
  }

  void carry_out() {
    auto todo = core.take();
    answers.take(todo.results);
    for (auto& c : todo.commands)
      for (auto& one : c.list)
        if (up[c.node] && random.below(10) != 0)
          held.push_back({c.node, std::move(one)});
  }
  void deliver() {
    for (auto n = random.below(4); n > 0 && !held.empty(); --n)
      execute_one();
  }
  void execute_one() {
    // In any order: also one that was handed in long ago.
    const auto which = static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(held.size(), 12)));
    const auto [node, c] = held[static_cast<std::size_t>(which)];
    held.erase(held.begin() + which);
    outcome result{c.id, errc::ok, {}};
    if (random.below(20) == 0) {
      result.code = errc::overloaded;
    } else if (c.kind == command_kind::open_session) {
      result.body = bytes_of(open.open(log_index{++index}, 0).value);
    } else {
      const auto bytes = std::string{c.body.view()};
      const command_view view{c.id, c.done_below, c.kind, c.key, bytes};
      const auto verdict = open.check(view, log_index{++index});
      if (verdict == sessions::verdict::execute) {
        byte_reader in{bytes};
        ++executed[in.little<std::uint64_t>()];
        open.record(c.id, log_index{index}, {});
      } else if (verdict == sessions::verdict::refuse) {
        result.code = errc::session_expired;
        ++refused;
      }
    }
    if (up[node] && random.below(10) != 0)
      core.on(node, {result}, now);
  }

  prng random;
  client_core core{
      3, {.window = 16, .waiting_max = 500, .deadline = 400ms, .retry_after = 20ms}, random.next()};
  sessions open{64, 2};
  std::map<std::uint64_t, int> executed;
  std::uint64_t index = 0;
  std::uint64_t refused = 0;
  std::array<bool, 3> up{};
  std::vector<std::pair<std::size_t, command>> held;
  told answers;
  time_point now{};
};

}  // namespace

TEST_CASE("whatever is lost, nothing is executed twice and no answer lies") {
  std::map<errc, std::size_t> seen;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    rough_world world{seed};
    world.run();
    refused += world.refused;
    for (const auto& [id, code] : world.answers.codes)
      ++seen[code];
  }
  // It has been where it is meant to go.
  CHECK(seen[errc::ok] > 10'000);
  CHECK(seen[errc::unknown_outcome] > 100);
  CHECK(refused > 100);
}
