#include "runtime/reader.hpp"

#include "runtime/store_keys.hpp"
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

}  // namespace quorate::testing
