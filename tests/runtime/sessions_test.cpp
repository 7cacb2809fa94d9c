#include "runtime/sessions.hpp"

#include "actors/prng.hpp"
#include "runtime/store_keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace quorate::testing {

namespace {

using verdict = sessions::verdict;

command_view ask(session_id session, std::uint64_t number, std::uint64_t done_below = 0) {
  command_view c;
  c.id = {session, sequence{number}};
  c.done_below = done_below;
  return c;
}

command_id id(session_id session, std::uint64_t number) {
  return {session, sequence{number}};
}

std::size_t records(const store& state) {
  std::size_t out = 0;
  state.scan(store_keys::outcome, store_keys::end_of(store_keys::outcome), [&](auto, auto) {
    ++out;
    return true;
  });
  return out;
}

// One command by itself, as an executor would do it.
verdict run(sessions& s, session_id session, std::uint64_t number, std::uint64_t index,
            std::uint64_t done_below = 0) {
  const auto what = s.check(ask(session, number, done_below), log_index{index});
  if (what == verdict::execute)
    s.record(id(session, number), log_index{index}, {errc::ok, "at " + std::to_string(index)});
  return what;
}

}  // namespace

TEST_CASE("a command is executed once; a repeat gets its first outcome, in any order of sequences") {
  sessions s{8, 4};
  const auto a = s.open(log_index{0}, 0);
  CHECK(run(s, a, 3, 1) == verdict::execute);
  CHECK(run(s, a, 0, 2) == verdict::execute);
  CHECK(run(s, a, 3, 3) == verdict::repeat);
  REQUIRE(s.find(id(a, 3)));
  CHECK(s.find(id(a, 3))->body == "at 1");
  CHECK(!s.find(id(a, 1)));
  CHECK(s.is_open(id(a, 1)));
  CHECK(!s.is_open(id(a, 3)));
}

TEST_CASE("the same command twice in one batch runs once") {
  sessions s{8, 4};
  const auto a = s.open(log_index{0}, 0);
  CHECK(s.check(ask(a, 0), log_index{1}) == verdict::execute);
  CHECK(s.check(ask(a, 0), log_index{1}) == verdict::running);
  CHECK(!s.find(id(a, 0)));
  s.record(id(a, 0), log_index{1}, {errc::invalid_command, "x"});
  CHECK(s.check(ask(a, 0), log_index{2}) == verdict::repeat);
  CHECK(s.find(id(a, 0))->code == errc::invalid_command);
}

TEST_CASE("an unknown session is refused") {
  sessions s{8, 4};
  CHECK(run(s, session_id{5}, 0, 1) == verdict::refuse);
  CHECK(!s.is_open(id(session_id{5}, 0)));
  CHECK(s.size() == 0);
}

TEST_CASE("a sequence that the window has passed is refused, the window's own first one is not") {
  sessions s{8, 4};
  const auto a = s.open(log_index{0}, 0);
  CHECK(run(s, a, 2, 1) == verdict::execute);
  CHECK(run(s, a, 9, 2) == verdict::execute);  // the window is now [2, 10)
  CHECK(run(s, a, 1, 3) == verdict::refuse);
  CHECK(run(s, a, 2, 3) == verdict::repeat);
  CHECK(run(s, a, 10, 4) == verdict::execute);
  CHECK(run(s, a, 2, 5) == verdict::refuse);
  CHECK(!s.find(id(a, 2)));
  CHECK(!s.is_open(id(a, 2)));
  // A leap far ahead empties it.
  CHECK(run(s, a, 1'000, 6) == verdict::execute);
  CHECK(run(s, a, 992, 7) == verdict::refuse);
  CHECK(run(s, a, 993, 7) == verdict::execute);
  CHECK(run(s, a, ~0ULL, 8) == verdict::execute);
  CHECK(run(s, a, ~0ULL, 9) == verdict::repeat);
}

TEST_CASE("what the client has got is forgotten, also by a command that is itself below") {
  sessions s{8, 4};
  const auto a = s.open(log_index{0}, 0);
  for (std::uint64_t n = 0; n < 4; ++n)
    CHECK(run(s, a, n, 1 + n) == verdict::execute);
  CHECK(run(s, a, 4, 5, 3) == verdict::execute);
  CHECK(run(s, a, 2, 6) == verdict::refuse);
  CHECK(run(s, a, 3, 6) == verdict::repeat);
  CHECK(run(s, a, 4, 7, 5) == verdict::refuse);
  // It does not come down again.
  CHECK(run(s, a, 4, 8, 0) == verdict::refuse);
}

TEST_CASE("too many sessions: the one that was unused for the longest stretch of the log goes") {
  sessions s{8, 2};
  const auto a = s.open(log_index{0}, 0);
  const auto b = s.open(log_index{1}, 0);
  CHECK(run(s, a, 0, 2) == verdict::execute);
  const auto c = s.open(log_index{3}, 0);
  CHECK(s.size() == 2);
  CHECK(run(s, b, 0, 4) == verdict::refuse);
  CHECK(run(s, a, 0, 4) == verdict::repeat);
  CHECK(run(s, c, 0, 4) == verdict::execute);
  // A repeat counts as use.
  const auto d = s.open(log_index{5}, 0);
  CHECK(s.size() == 2);
  CHECK((run(s, a, 0, 6) == verdict::refuse) != (run(s, c, 0, 6) == verdict::refuse));
  CHECK(run(s, d, 0, 6) == verdict::execute);
}

TEST_CASE("a session that is evicted within a batch takes its running commands with it") {
  sessions s{8, 1};
  const auto a = s.open(log_index{0}, 0);
  CHECK(s.check(ask(a, 0), log_index{1}) == verdict::execute);
  const auto b = s.open(log_index{1}, 1);
  s.record(id(a, 0), log_index{1}, {});
  CHECK(s.size() == 1);
  CHECK(!s.find(id(a, 0)));
  CHECK(run(s, a, 0, 2) == verdict::refuse);
  memory_store state;
  store_batch writes;
  s.save(log_index{2}, writes);
  CHECK(!state.write(writes, log_index{3}));
  CHECK(records(state) == 0);
  sessions again{8, 1};
  CHECK(!again.load(state));
  CHECK(run(again, b, 0, 3) == verdict::execute);
}

TEST_CASE("session ids are places in the log, so no two are the same") {
  sessions s;
  CHECK(s.open(log_index{0}, 0) != s.open(log_index{0}, 1));
  const auto last = s.open(log_index{0}, limits::batch_commands_max - 1);
  CHECK(s.open(log_index{1}, 0) > last);
  // 0 means no session.
  CHECK(last > session_id{0});
}

TEST_CASE("sessions that cannot be read are reported, not guessed") {
  for (const auto& [key, value] : {std::pair{store_keys::of(store_keys::session, 5), std::string{"short"}},
                                   std::pair{store_keys::of(store_keys::outcome, 5), std::string{"short"}},
                                   std::pair{std::string{store_keys::session}, std::string(16, '\0')}}) {
    memory_store state;
    store_batch writes;
    writes.put(key, value);
    CHECK(!state.write(writes, log_index{1}));
    sessions s;
    const auto failed = s.load(state);
    REQUIRE(failed);
    CHECK(failed->code == errc::corrupt);
  }
}

}  // namespace quorate::testing
