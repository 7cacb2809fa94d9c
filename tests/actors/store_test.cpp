#include "actors/store.hpp"

#include "tests/harness/store_suite.hpp"

using namespace quorate;
using namespace quorate::testing;

namespace {

class memory_subject : public store_subject {
public:
  store& now() override { return store_; }
  void flush() override { store_.flush(); }
  void crash() override { store_.crash(); }

private:
  memory_store store_;
};

}  // namespace

TEST_CASE("the store in memory does what every store must") {
  store_suite([] { return std::make_unique<memory_subject>(); }, 500);
}

TEST_CASE("the store in memory flushes when it is told to, not when it is asked") {
  memory_store s;
  REQUIRE(!s.write(puts({{"a", "1"}}), log_index{0}));
  CHECK(!s.flush_wanted());
  s.start_flush();
  CHECK(s.flush_wanted());
  CHECK(!s.flushed());
  s.flush();
  CHECK(!s.flush_wanted());
  CHECK(s.flushed() == log_index{0});
}

TEST_CASE("the store in memory flushes at once where nobody crashes") {
  memory_store s;
  s.flush_at_once(true);
  REQUIRE(!s.write(puts({{"a", "1"}}), log_index{4}));
  s.start_flush();
  CHECK(s.flushed() == log_index{4});
  CHECK(!s.flush_wanted());
}

TEST_CASE("a view of the store in memory outlives it") {
  auto s = std::make_unique<memory_store>();
  REQUIRE(!s->write(puts({{"a", "1"}}), log_index{0}));
  const auto view = s->view();
  s.reset();
  CHECK(view->get("a") == "1");
}
