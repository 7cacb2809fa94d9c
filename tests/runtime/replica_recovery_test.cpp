// What a replica finds when it starts: a flushed state and a log, each of which may lag.
#include "runtime/replica.hpp"

#include "tests/harness/invariant_trap.hpp"
#include "tests/runtime/replica_desk.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

TEST_CASE("a replica starts from its flushed state and applies the log from there") {
  replica_desk d;
  const auto a = d.open();
  d.count(a, 0, 3);
  d.state.flush();
  d.count(a, 3, 7);
  d.tick();
  const auto hash = d.sent<wire::Applied>().at(0).state_hash();
  d.crash(0);
  CHECK(d.value_of("x") == "7");
  CHECK(d.sent<wire::Applied>().at(0).next() == 8);
  CHECK(d.sent<wire::Applied>().at(0).state_hash() == hash);
  CHECK(d.role().role.recovered_to() == cursor{8});
  CHECK(d.log_range() == "0..8");
  // Sessions are as they were.
  d.on(n1, submission{{count_command(a, 5, "x")}});
  CHECK(d.sent<outcomes>().at(0).list.at(0).body.view() == "x=6");
  d.count(a, 7, 8);
  CHECK(d.value_of("x") == "8");
}

TEST_CASE("lazy saves that a crash took are learned again, and nothing is executed twice") {
  for (std::size_t keep = 0; keep <= 4; ++keep) {
    CAPTURE(keep);
    replica_desk d;
    const auto a = d.open();
    d.tick();
    std::vector<delivered> later;
    for (std::uint64_t n = 0; n < 4; ++n) {
      later.push_back(d.batch_of({count_command(a, n, "x")}));
      d.on(n1, later.back());
    }
    d.crash(keep);
    CHECK(d.sent<wire::Applied>().at(0).next() == 1 + keep);
    CHECK(d.sent<wire::Applied>().at(0).durable() == 1 + keep);
    // The learner starts behind where the replica stands.
    CHECK(d.role().role.recovered_to() == cursor{1 + keep});
    for (auto i = keep; i < later.size(); ++i)
      d.on(n1, later[i]);
    CHECK(d.value_of("x") == "4");
    CHECK(d.log_rows() == 5);
  }
}

TEST_CASE("nothing that was told as durable is lost, whatever crashes when") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    replica_desk d{{6, 1'000'000}};
    const auto a = d.open();
    std::uint64_t promised = 0;
    std::vector<delivered> log;
    std::uint64_t next = 1;
    for (int step = 0; step < 80; ++step) {
      switch (random.below(6)) {
      case 0:
        d.pass_and_tick();
        break;
      case 1:
        d.state.flush();
        break;
      case 2:
        if (random.chance(50)) {
          d.crash(random.below(d.journal.unsynced() + 1));
          next = d.sent<replica_figures>().at(0).next;
          REQUIRE(next >= promised);
        }
        break;
      default:
        if (next > log.size())
          log.push_back({{{n2, boot_id{1}, next}, encode_commands({count_command(a, next - 1, "x")})},
                         cursor{next + 1},
                         0});
        if (next == 0)
          d.on(n1, delivered{{{n2, boot_id{1}, 0}, encode_commands({open_command(1)})}, cursor{1}, 0});
        else
          d.on(n1, log[next - 1]);
        ++next;
      }
      for (const auto& told : d.sent<wire::Applied>()) {
        promised = std::max(promised, told.durable());
        REQUIRE(promised <= next);
        d.on(n1, told);
        d.on(n2, applied(told.next(), told.durable(), told.state_hash()));
      }
      REQUIRE(d.value_of("x") == (next <= 1 ? "none" : std::to_string(next - 1)));
    }
  }
}

TEST_CASE("a log with a hole is used up to the hole, the rest is erased") {
  replica_desk d;
  const auto a = d.open();
  d.count(a, 0, 5);
  std::string from = d.space.prefix() + "l";
  put_big(from, std::uint64_t{3});
  std::string to = d.space.prefix() + "l";
  put_big(to, std::uint64_t{4});
  REQUIRE(!d.journal.commit({{from, to, std::nullopt, true}}, true));
  d.state.crash();
  CHECK(has(d.restart(), "erase l\\00\\00\\00\\00\\00\\00\\00\\03..m"));
  CHECK(d.log_range() == "0..3");
  CHECK(d.log_rows() == 3);
  CHECK(d.value_of("x") == "2");
}

TEST_CASE("a log that begins behind the state is of no use and is erased") {
  replica_desk d;
  const auto a = d.open();
  d.count(a, 0, 5);
  std::string from = d.space.prefix() + "l";
  put_big(from, std::uint64_t{0});
  std::string to = d.space.prefix() + "l";
  put_big(to, std::uint64_t{2});
  REQUIRE(!d.journal.commit({{from, to, std::nullopt, true}}, true));
  d.state.crash();
  CHECK(has(d.restart(), "erase l..m"));
  CHECK(d.log_range() == "0..0");
  CHECK(d.log_rows() == 0);
}

TEST_CASE("a log that ends below the state, as after a snapshot, is erased") {
  replica_desk d;
  const auto a = d.open();
  d.count(a, 0, 5);
  d.state.flush();
  d.journal.crash(2);
  CHECK(has(d.restart(), "erase l..m"));
  CHECK(d.log_range() == "6..6");
  CHECK(d.log_rows() == 0);
  CHECK(d.value_of("x") == "5");
  // It goes on from there, with a log that begins there.
  d.count(a, 5, 7);
  CHECK(d.log_range() == "6..8");
  d.crash(d.journal.unsynced());
  CHECK(d.log_range() == "6..8");
}

TEST_CASE("a log that was cut below the flushed state is used") {
  replica_desk d{{4, 1'000'000}};
  const auto a = d.open();
  d.count(a, 0, 9);
  d.state.flush();
  d.tick();
  CHECK(d.log_range() == "6..10");
  d.count(a, 9, 12);
  d.tick();
  d.crash(0);
  CHECK(d.value_of("x") == "12");
  CHECK(d.log_range() == "9..13");
}

TEST_CASE("a blank replica starts at nothing and says so") {
  replica_desk d;
  const auto said = d.restart();
  CHECK(has(said, "note stands at index 0, its log begins at 0"));
  CHECK(d.role().role.recovered_to() == cursor{0});
  CHECK(!has(said, "erase"));
}

TEST_CASE("a log row or a state that cannot be read stops the node") {
  replica_desk d;
  d.open();
  std::string key = d.space.prefix() + "l";
  put_big(key, std::uint64_t{1});
  REQUIRE(!d.journal.commit({{key, "short", std::nullopt, false}}, true));
  const invariant_trap trap;
  CHECK_THROWS_AS(d.restart(), invariant_broken);

  replica_desk other;
  store_batch writes;
  writes.put(std::string{store_keys::applied}, "short");
  CHECK(!other.state.write(writes, log_index{1}));
  CHECK_THROWS_AS(other.restart(), invariant_broken);
}

}  // namespace quorate::testing
