#include "protocols/disk_reads.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using reads = disk_reads<int>;

journal_rows rows_of(std::uint64_t id) {
  return {token{id}, {}, true};
}

}  // namespace

TEST_CASE("reads go on in the order in which they were asked for, a few at a time") {
  outbox<> o;
  reads r{2, 100};
  for (int i = 1; i <= 4; ++i)
    CHECK(r.ask({i, std::to_string(i), "9"}, o));
  CHECK(o.list().size() == 2);
  CHECK(r.waiting() == 2);
  CHECK(r.ask({4, "4", "9"}, o));  // waits already
  CHECK(r.waiting() == 2);
  CHECK(r.done(rows_of(2), o) == 2);
  CHECK(o.list().size() == 3);
  CHECK(!r.done(rows_of(2), o));
  CHECK(r.done(rows_of(1), o) == 1);
  CHECK(r.done(rows_of(3), o) == 3);
  CHECK(r.done(rows_of(4), o) == 4);
  CHECK(o.list().size() == 4);
}

TEST_CASE("what is of no use any more does not wait, and what was begun ends") {
  outbox<> o;
  reads r{1, 100};
  for (int i = 1; i <= 5; ++i)
    CHECK(r.ask({i, std::to_string(i), "9"}, o));
  r.drop_waiting([](const auto& one) { return one.what != 4; });
  CHECK(r.waiting() == 1);
  CHECK(r.done(rows_of(1), o) == 1);
  CHECK(r.done(rows_of(2), o) == 4);
}

TEST_CASE("where too much waits nothing is taken in, and what waits is read all the same") {
  outbox<> o;
  reads r{0, 100};  // one at a time, at the least
  int asked = 0;
  while (r.ask({asked, std::to_string(asked), ""}, o))
    ++asked;
  CHECK(asked == 1 + static_cast<int>(reads::waiting_max));
  for (int i = 0; i < asked; ++i)
    CHECK(r.done(rows_of(static_cast<std::uint64_t>(i) + 1), o) == i);
  CHECK(r.waiting() == 0);
}

}  // namespace quorate::testing
