#include "runtime/rocks_store.hpp"

#include "tests/harness/store_suite.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <fstream>

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

// So small that memtables are flushed by themselves as well.
constexpr rocks_store::tuning small{64u << 10, 1u << 20, false};

std::unique_ptr<rocks_store> open_store(const fs::path& path, const rocks_store::tuning& sizes = small) {
  auto opened = rocks_store::open(path, database::may_be_new, sizes);
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  return std::move(std::get<std::unique_ptr<rocks_store>>(opened));
}

void wait_for_flush(const store& s, log_index index) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (s.flushed() < index && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

class rocks_subject : public store_subject {
public:
  rocks_subject() : store_(open_store(directory_ / "state")) {}
  store& now() override { return *store_; }
  void flush() override {
    store_->start_flush();
    if (const auto newest = store_->newest())
      wait_for_flush(*store_, *newest);
  }
  // Closing without a flush drops the memtables, as a kill does.
  void crash() override {
    store_.reset();
    store_ = open_store(directory_ / "state");
  }

private:
  temporary_directory directory_;
  std::unique_ptr<rocks_store> store_;
};

}  // namespace

TEST_CASE("the store on disk does what every store must") {
  store_suite([] { return std::make_unique<rocks_subject>(); }, 60);
}

TEST_CASE("the store on disk flushes by itself when memory is full, and tells how far") {
  const temporary_directory directory;
  std::optional<log_index> told;
  {
    const auto s = open_store(directory / "state");
    for (std::uint64_t i = 0; i < 2000; ++i) {
      store_batch changes;
      changes.put("n", std::to_string(i));
      changes.put("k" + std::to_string(i), std::string(200, 'v'));
      REQUIRE(!s->write(changes, log_index{i}));
    }
    told = s->flushed();
  }
  REQUIRE(told);
  CHECK(told->value > 100);
  const auto s = open_store(directory / "state");
  REQUIRE(s->flushed() >= told);
  CHECK(s->get("n") == std::to_string(s->flushed()->value));
}

TEST_CASE("the store on disk keeps everything when it is closed in peace") {
  const temporary_directory directory;
  auto peaceful = small;
  peaceful.flush_on_close = true;
  {
    const auto s = open_store(directory / "state", peaceful);
    REQUIRE(!s->write(puts({{"a", "1"}}), log_index{7}));
  }
  const auto s = open_store(directory / "state");
  CHECK(s->get("a") == "1");
  CHECK(s->flushed() == log_index{7});
}

TEST_CASE("a view of the store on disk outlives it") {
  const temporary_directory directory;
  auto s = open_store(directory / "state");
  REQUIRE(!s->write(puts({{"a", "1"}}), log_index{0}));
  auto view = s->view();
  REQUIRE(!s->write(puts({{"a", "2"}}), log_index{1}));
  s.reset();
  CHECK(view->get("a") == "1");
  view.reset();
  CHECK(open_store(directory / "state"));
}

TEST_CASE("writes far faster than the disk wait, but get through") {
  const temporary_directory directory;
  const auto s = open_store(directory / "state");
  const std::string value(10'000, 'v');
  for (std::uint64_t i = 0; i < 3000; ++i) {
    REQUIRE(!s->write(puts({{"k" + std::to_string(i % 500), value}}), log_index{i}));
    if (i % 3 == 0)
      s->start_flush();
  }
  s->start_flush();
  wait_for_flush(*s, log_index{2999});
  CHECK(s->flushed() == log_index{2999});
}

TEST_CASE("the ledger tells the newest index at or below what is flushed") {
  flush_ledger ledger;
  CHECK(!ledger.durable());
  ledger.written(10, log_index{1});
  ledger.written(20, log_index{2});
  ledger.flushed(9);
  CHECK(!ledger.durable());
  ledger.flushed(19);
  CHECK(ledger.durable() == log_index{1});
  // A flush that ends before the writer has told of the write.
  ledger.flushed(30);
  CHECK(ledger.durable() == log_index{2});
  ledger.written(30, log_index{3});
  CHECK(ledger.durable() == log_index{3});
  ledger.written(40, log_index{4});
  ledger.flushed(25);
  CHECK(ledger.durable() == log_index{3});
  flush_ledger later;
  later.start_at(log_index{8});
  CHECK(later.durable() == log_index{8});
}

TEST_CASE("a store is opened once, and never made anew where it must exist") {
  const temporary_directory directory;
  const auto s = open_store(directory / "state");
  const auto twice = rocks_store::open(directory / "state");
  REQUIRE(std::holds_alternative<failure>(twice));
  CHECK(std::get<failure>(twice).code == errc::in_use);
  const auto missing = rocks_store::open(directory / "missing", database::must_exist);
  REQUIRE(std::holds_alternative<failure>(missing));
  CHECK(std::get<failure>(missing).code == errc::corrupt);
}

TEST_CASE("strange files beside the store on disk are in nobody's way, and stay") {
  const temporary_directory directory;
  const auto path = directory / "state";
  { const auto s = open_store(path); }
  fs::create_directory(path / "lost+found");
  // RocksDB clears away what has a name of its own, with something behind a number too.
  for (const auto* name : {".nfs0001", ".nfs0002"})
    std::ofstream{path / name} << "mine";
  for (auto i = 0; i < 2; ++i) {
    const auto s = open_store(path);
    store_batch changes;
    changes.put("k", "v");
    REQUIRE(!s->write(changes, log_index{static_cast<std::uint64_t>(i)}));
    s->start_flush();
    wait_for_flush(*s, log_index{static_cast<std::uint64_t>(i)});
  }
  CHECK(open_store(path)->get("k") == "v");
  for (const std::string name : {".nfs0001", ".nfs0002", "lost+found"})
    CHECK_MESSAGE(fs::exists(path / name), name);
}
