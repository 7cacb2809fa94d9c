#include "runtime/executor.hpp"

#include "actors/bytes.hpp"
#include "actors/prng.hpp"
#include "runtime/store_keys.hpp"
#include "tests/harness/invariant_trap.hpp"
#include "tests/runtime/tally_machine.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using store_pairs = std::vector<std::pair<std::string, std::string>>;

store_pairs all_of(const store_view& view) {
  store_pairs out;
  view.scan("", "", [&](std::string_view key, std::string_view value) {
    out.emplace_back(key, value);
    return true;
  });
  return out;
}

std::string count_of(const store_view& view, std::string_view key) {
  return view.get(std::string{store_keys::machine} + std::string{key}).value_or("none");
}

session_id session_in(const outcome& o) {
  byte_reader in{o.body.view()};
  return session_id{in.little<std::uint64_t>()};
}

std::string text_of(const outcome& o) {
  return std::string{to_string(o.code)} + " " + std::string{o.body.view()};
}

/// A store with a tally on it.
struct one {
  one() { REQUIRE(!run.load()); }
  std::vector<outcome> apply(const std::vector<command>& commands) {
    return run.apply(encode_commands(commands).view(), epoch_id{0}, cursor{run.point().next.value + 1});
  }
  tally machine;
  memory_store state;
  executor run{machine, state};
};

std::vector<command> random_batch(prng& random, std::uint64_t index) {
  std::vector<command> out;
  for (auto n = random.between(1, 5); n > 0; --n) {
    if (random.chance(10)) {
      out.push_back(open_command(random.next()));
      continue;
    }
    // Mostly sessions that somebody opened, mostly not too old.
    const session_id session{(1 + random.below(index + 1)) * limits::batch_commands_max + random.below(3)};
    out.push_back(count_command(session, random.below(20), "k" + std::to_string(random.below(9)),
                                random.chance(10) ? random.below(20) : 0, random.chance(10) ? "drop" : "+"));
  }
  return out;
}

}  // namespace

TEST_CASE("commands run in order, once each, under a session that the log has opened") {
  one e;
  const auto opened = e.apply({open_command(77)});
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].id == command_id{session_id{0}, sequence{77}});
  CHECK(opened[0].code == errc::ok);
  const auto a = session_in(opened[0]);

  const auto results = e.apply({count_command(a, 0, "x"), count_command(a, 1, "x"),
                                count_command(a, 2, "x", 0, "bad"), count_command(session_id{5}, 0, "x")});
  REQUIRE(results.size() == 4);
  CHECK(text_of(results[0]) == "ok x=1");
  CHECK(text_of(results[1]) == "ok x=2");
  CHECK(text_of(results[2]) == "invalid_command no");
  CHECK(results[3].code == errc::session_expired);
  CHECK(count_of(e.state, "x") == "2");

  // Again, in another order: the first outcomes, and nothing is executed.
  const auto again = e.apply({count_command(a, 2, "x"), count_command(a, 0, "x")});
  CHECK(text_of(again[0]) == "invalid_command no");
  CHECK(text_of(again[1]) == "ok x=1");
  CHECK(count_of(e.state, "x") == "2");
  CHECK(e.run.point().next == log_index{3});
}

TEST_CASE("a command that stands twice in one batch runs once, and both get its outcome") {
  one e;
  const auto a = session_in(e.apply({open_command(1)})[0]);
  const auto results =
      e.apply({count_command(a, 0, "x"), count_command(a, 0, "x"), count_command(a, 1, "x")});
  CHECK(text_of(results[0]) == "ok x=1");
  CHECK(text_of(results[1]) == "ok x=1");
  CHECK(text_of(results[2]) == "ok x=2");
}

TEST_CASE("a session that is opened in a batch can be used in the same batch") {
  one e;
  const session_id a{limits::batch_commands_max};
  const auto results = e.apply({open_command(1), count_command(a, 0, "x")});
  CHECK(session_in(results[0]) == a);
  CHECK(text_of(results[1]) == "ok x=1");
}

TEST_CASE("machine, sessions and place change together: a crash leaves the store at a flushed batch") {
  one e;
  const auto a = session_in(e.apply({open_command(1)})[0]);
  e.apply({count_command(a, 0, "x")});
  e.state.flush();
  e.apply({count_command(a, 1, "x")});
  e.state.crash();
  REQUIRE(!e.run.load());
  CHECK(e.run.point().next == log_index{2});
  CHECK(e.run.point().at == cursor{2});
  CHECK(count_of(e.state, "x") == "1");
  CHECK(e.run.open_sessions().find({a, sequence{0}}));
  CHECK(e.run.open_sessions().is_open({a, sequence{1}}));
  // What was lost is executed again, since it never happened.
  CHECK(text_of(e.apply({count_command(a, 1, "x")})[0]) == "ok x=2");
}

TEST_CASE("two replicas stand at the same state and hash, also after a restart from any flushed point") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    one calm;
    one troubled;
    std::vector<std::vector<command>> log;
    for (std::uint64_t index = 0; index < 40; ++index) {
      log.push_back(random_batch(random, index));
      const auto expected = calm.apply(log.back());
      const auto got = troubled.apply(log.back());
      REQUIRE(expected.size() == got.size());
      for (std::size_t i = 0; i < got.size(); ++i)
        REQUIRE(text_of(got[i]) == text_of(expected[i]));
      if (random.chance(15))
        troubled.state.flush();
      if (random.chance(15)) {
        troubled.state.crash();
        REQUIRE(!troubled.run.load());
        while (troubled.run.point().next.value < log.size())
          troubled.apply(log[troubled.run.point().next.value]);
      }
      REQUIRE(troubled.run.point().state_hash == calm.run.point().state_hash);
      REQUIRE(all_of(troubled.state) == all_of(calm.state));
    }
  }
}

TEST_CASE("a machine that is not deterministic, or another batch, shows in the hash") {
  struct fickle final : tally {
    void apply(log_index index, std::span<const command_view> commands, machine_state& state,
               std::vector<machine_answer>& answers) override {
      tally::apply(index, commands, state, answers);
      state.put("calls", std::to_string(++calls));
    }
    int calls = 0;
  };
  fickle first;
  fickle second;
  second.calls = 10;
  memory_store states[2];
  executor a{first, states[0]};
  executor b{second, states[1]};
  const auto open = encode_commands({open_command(1)});
  const auto add = encode_commands({count_command(session_id{limits::batch_commands_max}, 0, "x")});
  for (const auto& batch : {open, add}) {
    static_cast<void>(a.apply(batch.view(), epoch_id{0}, cursor{1}));
    static_cast<void>(b.apply(batch.view(), epoch_id{0}, cursor{1}));
    if (batch == open)
      CHECK(a.point().state_hash == b.point().state_hash);
  }
  CHECK(a.point().state_hash != b.point().state_hash);

  one c;
  one d;
  c.apply({open_command(1)});
  d.apply({open_command(2)});
  CHECK(c.run.point().state_hash != d.run.point().state_hash);
}

TEST_CASE("what cannot be read back stops with a reason") {
  memory_store state;
  store_batch writes;
  writes.put(std::string{store_keys::applied}, "short");
  CHECK(!state.write(writes, log_index{1}));
  tally machine;
  executor run{machine, state};
  const auto failed = run.load();
  REQUIRE(failed);
  CHECK(failed->code == errc::corrupt);

  const invariant_trap trap;
  one e;
  CHECK_THROWS_AS(static_cast<void>(e.run.apply("nonsense", epoch_id{0}, cursor{1})), invariant_broken);
}

TEST_CASE("a machine that does not answer every command, or at too great a length, is stopped") {
  struct mute final : tally {
    void apply(log_index, std::span<const command_view>, machine_state&,
               std::vector<machine_answer>& answers) override {
      answers.resize(length == 0 ? 0 : 1);
      if (length > 0)
        answers[0].body = std::string(length, 'x');
    }
    std::size_t length = 0;
  };
  const invariant_trap trap;
  for (const std::size_t length :
       {std::size_t{0}, limits::outcome_bytes_max + 1, limits::outcome_bytes_max}) {
    mute machine;
    machine.length = length;
    memory_store state;
    executor run{machine, state};
    const auto batch =
        encode_commands({open_command(1), count_command(session_id{limits::batch_commands_max}, 0, "x")});
    if (length == limits::outcome_bytes_max)
      CHECK_NOTHROW(static_cast<void>(run.apply(batch.view(), epoch_id{0}, cursor{1})));
    else
      CHECK_THROWS_AS(static_cast<void>(run.apply(batch.view(), epoch_id{0}, cursor{1})), invariant_broken);
  }
}

TEST_CASE("the place in the log is read back as it was written, and nothing else is") {
  const applied_point point{log_index{7}, epoch_id{2}, cursor{9}, 0x1234567890ULL};
  const auto bytes = encode(point);
  const auto read = decode_applied_point(bytes);
  REQUIRE(read);
  CHECK(read->next == point.next);
  CHECK(read->epoch == point.epoch);
  CHECK(read->at == point.at);
  CHECK(read->state_hash == point.state_hash);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!decode_applied_point(bytes.substr(0, size)));
  CHECK(!decode_applied_point(bytes + "x"));
}

}  // namespace quorate::testing
