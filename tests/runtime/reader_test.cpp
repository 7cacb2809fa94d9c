#include "runtime/reader.hpp"

#include "actors/limits.hpp"
#include "runtime/store_keys.hpp"
#include "runtime/timings.hpp"
#include "tests/runtime/lone_role.hpp"
#include "tests/runtime/tally_machine.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

TEST_CASE("a reader answers every query from the view it is given, in order, to who asked") {
  memory_store state;
  store_batch writes;
  writes.put(std::string{store_keys::machine} + "x", "5");
  writes.put(std::string{store_keys::session} + "x", "not the machine's");
  CHECK(!state.write(writes, log_index{1}));
  read_job job{state.view(), log_index{1}, {}};
  job.list.push_back({token{1}, true, payload{"x"}});
  job.list.push_back({token{2}, false, payload{"y"}});
  // The store goes on; the view does not.
  writes.clear();
  writes.put(std::string{store_keys::machine} + "x", "6");
  CHECK(!state.write(writes, log_index{2}));

  lone_role<reader> r{std::make_shared<tally>()};
  CHECK(r.on(node_id{1}, job) == "send_now n1 query_results{1 ok, 2 invalid_command}");
  const auto answers = r.sent<query_results>();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].list[0].body.view() == "5");
  CHECK(answers[0].list[1].body.view() == "nothing");
}

namespace {

/// Answers with as many bytes as it is asked for.
class lavish : public tally {
public:
  [[nodiscard]] machine_answer query(std::string_view request, const store_view&) const override {
    ++asked;
    return {errc::ok, std::string(std::stoul(std::string{request}), 'x')};
  }
  mutable std::size_t asked = 0;
};

}  // namespace

TEST_CASE("answers count from before they are made until the last of their bytes is let go") {
  memory_store state;
  const auto machine = std::make_shared<lavish>();
  const auto memory = std::make_shared<answer_budget>(limits::answer_bytes_expected + 2'500'000);
  lone_role<reader> r{machine, memory};
  read_job job{state.view(), log_index{1}, {}};
  for (std::uint64_t i = 1; i <= 5; ++i)
    job.list.push_back({token{i}, false, payload{"1000000"}});
  CHECK(r.on(node_id{1}, job) == "send_now n1 query_results{1 ok, 2 ok, 3 ok, 4 overloaded, 5 overloaded}");
  // What cannot be kept was not made.
  CHECK(machine->asked == 3);
  CHECK(memory->used() >= 3'000'000);
  CHECK(memory->used() <= memory->bytes_max());
  auto kept = r.sent<query_results>().at(0).list.at(1).body;
  job.list.clear();
  r.on(node_id{1}, job);
  CHECK(memory->used() >= 1'000'000);
  CHECK(memory->used() < 1'100'000);
  const auto part = kept.slice(kept.view().substr(5, 1));
  kept = {};
  CHECK(memory->used() >= 1'000'000);
  CHECK(part.view() == "x");
}

TEST_CASE("nothing is made for a read whose deadline has passed") {
  memory_store state;
  const auto machine = std::make_shared<lavish>();
  const auto memory = std::make_shared<answer_budget>();
  lone_role<reader> r{machine, memory};
  r.pass(2s);
  const read_job job{
      state.view(), log_index{1}, {{token{1}, false, payload{"9"}, r.now()}, {token{2}, false, payload{"9"}, r.now() + 1ns}}};
  CHECK(r.on(node_id{1}, job) == "send_now n1 query_results{1 no_quorum, 2 ok}");
  CHECK(machine->asked == 1);
}

}  // namespace quorate::testing
