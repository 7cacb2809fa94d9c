#include "runtime/transport_accounts.hpp"

#include <doctest/doctest.h>

namespace {

using namespace quorate;
using namespace std::chrono_literals;

constexpr node_id n2{2};

TEST_CASE("a long message arrives as long as it goes on, with patience for gaps as long as those before") {
  arrivals a;
  CHECK_FALSE(a.going_on(1s));
  a.came(1s, false, true);
  CHECK(a.going_on(1s + 24ms));
  CHECK_FALSE(a.going_on(1s + 26ms));
  // Gaps of 60 ms: the next one is not taken for the end.
  a.came(1s + 60ms, false, true);
  CHECK(a.going_on(1s + 60ms + 110ms));
  CHECK_FALSE(a.going_on(1s + 60ms + 130ms));
  a.came(1s + 70ms, true, false);
  CHECK(a.took() == 70ms);
  CHECK_FALSE(a.going_on(1s + 71ms));
  a.came(2s, false, true);
  CHECK(a.going_on(2s + 110ms));
  // On a faster way it is forgotten again.
  for (auto now = 3s + 0ms; now < 4s; now += 20ms) {
    a.came(now, false, true);
    a.came(now + 1ms, true, false);
  }
  a.came(5s, false, true);
  CHECK_FALSE(a.going_on(5s + 30ms));
  // Nobody is waited for for ever.
  a.came(60s, false, true);
  CHECK_FALSE(a.going_on(60s + 501ms));
}

TEST_CASE("what others catch up from may pause while batches go on") {
  connection_account c;
  c.background.came(1s, false, true);
  CHECK(c.background.going_on(1s + 990ms));
  CHECK_FALSE(c.background.going_on(1s + 1'010ms));
  c.background.came(1s + 900ms, false, true);
  CHECK(c.background.going_on(1s + 900ms + 1'790ms));
  CHECK_FALSE(c.background.going_on(60s));
}

TEST_CASE("what was on its way over a connection is gone with it") {
  transport_accounts accounts;
  CHECK(accounts.idle(n2));
  const auto first = std::make_shared<connection_account>();
  accounts.connect(n2, first);
  first->handed = 500;
  const auto mark = accounts.handed(n2);
  CHECK_FALSE(accounts.taken(n2, mark));
  first->taken = 499;
  CHECK_FALSE(accounts.taken(n2, mark));
  CHECK_FALSE(accounts.idle(n2));
  accounts.connect(n2, std::make_shared<connection_account>());
  CHECK(accounts.taken(n2, mark));
  accounts.connect(n2, first);
  first->taken = 500;
  CHECK(accounts.taken(n2, mark));
  accounts.connect(n2, nullptr);
  CHECK(accounts.idle(n2));
}

}  // namespace
