#include "runtime/rocks_journal.hpp"

#include "tests/harness/journal_suite.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <fstream>
#include <iterator>

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

// Small files, so that tests open and copy them fast.
constexpr rocks_journal::tuning small{1u << 20, 1u << 20, 1u << 20, 16u << 20};

std::unique_ptr<rocks_journal> open_journal(const fs::path& path, database presence = database::may_be_new) {
  auto opened = rocks_journal::open(path, presence, small);
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  return std::move(std::get<std::unique_ptr<rocks_journal>>(opened));
}

failure refusal_of(const fs::path& path, database presence = database::may_be_new) {
  auto opened = rocks_journal::open(path, presence, small);
  if (auto* failed = std::get_if<failure>(&opened))
    return std::move(*failed);
  return {errc::ok, "opened"};
}

std::string read(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
}

std::vector<fs::path> logs_in(const fs::path& directory) {
  std::vector<fs::path> logs;
  std::error_code vanished;  // RocksDB may still be removing some that it does not need
  for (const auto& entry : fs::directory_iterator{directory})
    if (entry.path().extension() == ".log" && entry.file_size(vanished) > 0 && !vanished)
      logs.push_back(entry.path());
  std::sort(logs.begin(), logs.end());
  return logs;
}

// Loses power: what was synced stays, and of the rest the disk holds what chance wants.
class rocks_subject : public journal_subject {
public:
  rocks_subject() : journal_(open_journal(place())) {}

  journal& now() override { return *journal_; }
  status commit(std::vector<journal_op> ops, bool sync) override {
    auto failed = journal_->commit(std::move(ops), sync);
    if (sync)
      synced_ = log_bytes();
    return failed;
  }
  void crash(prng& random) override {
    journal_.reset();  // leaves the log as it is
    if (const auto logs = logs_in(place()); !logs.empty() && fs::file_size(logs.back()) > synced_) {
      auto bytes = read(logs.back());
      const auto torn = synced_ + random.below(bytes.size() - synced_ + 1);
      const auto until = torn + random.below(bytes.size() - torn + 1);
      switch (random.below(4)) {
      case 0:  // a page that was never written
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(torn),
                  bytes.begin() + static_cast<std::ptrdiff_t>(until), '\0');
        break;
      case 1:  // and one that holds something else
        for (auto i = torn; i < until; ++i)
          bytes[i] = static_cast<char>(random.next());
        break;
      default:
        bytes.resize(torn);
      }
      overwrite(logs.back(), bytes);
    }
    journal_ = open_journal(place(), database::must_exist);
    synced_ = log_bytes();
  }

private:
  fs::path place() const { return directory_ / "journal"; }
  std::size_t log_bytes() const {
    const auto logs = logs_in(place());
    return logs.empty() ? 0 : fs::file_size(logs.back());
  }

  temporary_directory directory_;
  std::size_t synced_ = 0;
  std::unique_ptr<rocks_journal> journal_;
};

// Writes `commits` synced commits and stops; returns the newest log.
fs::path written_log(const fs::path& directory, std::uint64_t commits, std::size_t value_bytes) {
  {
    const auto j = open_journal(directory);
    for (std::uint64_t i = 0; i < commits; ++i)
      REQUIRE(!j->commit({put("k" + std::to_string(10'000 + i), std::string(value_bytes, 'v'), a_batch(i))},
                         true));
  }
  const auto logs = logs_in(directory);
  REQUIRE(logs.size() == 1);
  return logs.back();
}

std::size_t rows_in(const journal& j) {
  std::size_t n = 0;
  REQUIRE(!j.scan("", "", [&](journal_row&&) { return ++n > 0; }));
  return n;
}

}  // namespace

TEST_CASE("the journal on disk does what every journal must") {
  journal_suite([] { return std::make_unique<rocks_subject>(); }, 120);
}

TEST_CASE("the journal on disk stores a batch once, as long as a row refers to it") {
  const temporary_directory directory;
  {
    const auto j = open_journal(directory / "j");
    REQUIRE(!j->commit({put("a", "", a_batch(1)), put("b", "", a_batch(1)), put("c", "", a_batch(2))}, true));
    CHECK(j->batches() == 2);
  }
  const auto j = open_journal(directory / "j", database::must_exist);
  CHECK(j->batches() == 2);
  REQUIRE(!j->commit({erase("a", "b")}, true));
  CHECK(j->batches() == 2);
  REQUIRE(!j->commit({put("b", "plain")}, true));
  CHECK(j->batches() == 1);
  REQUIRE(!j->commit({erase("c", "d")}, true));
  CHECK(j->batches() == 0);
}

TEST_CASE("the journal on disk opens behind a torn tail, wherever it was torn") {
  const temporary_directory directory;
  const auto whole = read(written_log(directory / "j", 5, 40));
  const auto four = read(written_log(directory / "four", 4, 40)).size();
  REQUIRE(whole.size() > four);
  for (auto bytes = four; bytes <= whole.size(); bytes += 3) {
    CAPTURE(bytes);
    fs::remove_all(directory / "torn");
    fs::copy(directory / "j", directory / "torn", fs::copy_options::recursive);
    overwrite(logs_in(directory / "torn").back(), whole.substr(0, bytes));
    const auto j = open_journal(directory / "torn");
    CHECK(rows_in(*j) == (bytes == whole.size() ? 5 : 4));
    CHECK(j->torn_bytes() == (bytes == whole.size() ? 0 : bytes - four));
    // And goes on.
    REQUIRE(!j->commit({put("z", "1")}, true));
  }
}

TEST_CASE("a flipped byte anywhere in a short log is found, but in its last record") {
  const temporary_directory directory;
  const auto whole = read(written_log(directory / "j", 4, 4));
  const auto three = read(written_log(directory / "three", 3, 4)).size();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    fs::remove_all(directory / "bad");
    fs::copy(directory / "j", directory / "bad", fs::copy_options::recursive);
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    overwrite(logs_in(directory / "bad").back(), bytes);
    if (at < three) {
      CHECK(refusal_of(directory / "bad").code == errc::corrupt);
    } else {
      // The last record alone cannot be told from a torn tail.
      CHECK(rows_in(*open_journal(directory / "bad")) == 3);
    }
  }
}

TEST_CASE("a flipped byte in the middle of a long log stops the node with a clear message") {
  const temporary_directory directory;
  const auto whole = read(written_log(directory / "j", 900, 400));
  REQUIRE(whole.size() > 8 * 32 * 1024);
  prng random{1};
  for (auto round = 0; round < 40; ++round) {
    CAPTURE(round);
    fs::remove_all(directory / "bad");
    fs::copy(directory / "j", directory / "bad", fs::copy_options::recursive);
    const auto log = logs_in(directory / "bad").back();
    auto bytes = whole;
    auto at = round == 0 ? bytes.size() / 2 : random.below(bytes.size() - 700);
    // Half of the rounds in the last block, where a wrong length looks like a torn tail.
    if (round % 2 == 1)
      at = bytes.size() - 700 - random.below(20'000);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    overwrite(log, bytes);
    const auto refused = refusal_of(directory / "bad");
    // Unused bytes at the end of a block: nothing is lost.
    if (refused.code == errc::ok) {
      CHECK(rows_in(*open_journal(directory / "bad")) == 900);
      continue;
    }
    CHECK(refused.code == errc::corrupt);
    CHECK(refused.message.find(log.filename().string()) != std::string::npos);
  }
}

TEST_CASE("a zeroed page in the middle of the log stops the node") {
  const temporary_directory directory;
  const auto log = written_log(directory / "j", 900, 400);
  const auto whole = read(log);
  for (const std::size_t begin :
       {std::size_t{0}, std::size_t{32 * 1024}, std::size_t{100 * 1024 / 4096 * 4096}}) {
    CAPTURE(begin);
    auto bytes = whole;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), 4096, '\0');
    overwrite(log, bytes);
    CHECK(refusal_of(directory / "j").code == errc::corrupt);
  }
  overwrite(log, whole);
  CHECK(refusal_of(directory / "j").code == errc::ok);
}

TEST_CASE(
    "a commit larger than a block of the log is found when it is damaged, and cut off when it is torn") {
  const temporary_directory directory;
  {
    const auto j = open_journal(directory / "j");
    for (const auto* key : {"a", "b", "c"})
      REQUIRE(!j->commit({put(key, std::string(100'000, *key))}, true));
  }
  const auto log = logs_in(directory / "j").back();
  const auto whole = read(log);
  for (const std::size_t at : {20u, 50'000u, 99'000u, 150'000u}) {
    CAPTURE(at);
    auto bytes = whole;
    bytes[at] ^= 4;
    overwrite(log, bytes);
    CHECK(refusal_of(directory / "j").code == errc::corrupt);
  }
  overwrite(log, whole.substr(0, 270'000));
  CHECK(rows_in(*open_journal(directory / "j")) == 2);
}

TEST_CASE("the lost end of a log that is not the newest stops the node") {
  const temporary_directory directory;
  std::uintmax_t boundary = 0;  // between two records near the first log's end
  {
    const auto j = open_journal(directory / "j");
    REQUIRE(!j->commit({put("a", "1", a_batch(1))}, true));
    // Rows fill their memtable: a second log begins while the first one still holds a batch.
    for (std::uint64_t i = 0; i < 1500; ++i) {
      REQUIRE(!j->commit({put("k" + std::to_string(i), std::string(1000, 'v'))}, i % 20 == 0));
      if (const auto logs = logs_in(directory / "j"); i % 3 == 0 && logs.size() == 1)
        boundary = fs::file_size(logs.front());
    }
    REQUIRE(!j->commit({put("z", "1")}, true));
  }
  const auto logs = logs_in(directory / "j");
  REQUIRE(logs.size() >= 2);
  auto bytes = read(logs.front());
  REQUIRE(boundary > 0);
  REQUIRE(boundary < bytes.size());
  SUBCASE("by truncation within a record") {
    bytes.resize(bytes.size() - 20);
  }
  SUBCASE("by truncation between records") {
    bytes.resize(boundary);
  }
  SUBCASE("by zeros within a record") {
    std::fill(bytes.end() - 500, bytes.end(), '\0');
  }
  SUBCASE("by zeros from a record on") {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(boundary), bytes.end(), '\0');
  }
  SUBCASE("by removal") {
    bytes.clear();
  }
  overwrite(logs.front(), bytes);
  if (bytes.empty())
    fs::remove(logs.front());
  CHECK(refusal_of(directory / "j").code == errc::corrupt);
}

TEST_CASE("a journal on disk is opened once") {
  const temporary_directory directory;
  const auto j = open_journal(directory / "j");
  CHECK(refusal_of(directory / "j").code == errc::in_use);
}

TEST_CASE("a journal that must exist is never made anew") {
  const temporary_directory directory;
  CHECK(refusal_of(directory / "j", database::must_exist).code == errc::corrupt);
  written_log(directory / "j", 3, 4);
  fs::remove(directory / "j" / "CURRENT");
  CHECK(refusal_of(directory / "j", database::must_exist).code == errc::corrupt);
}

TEST_CASE("a journal where no file can be made says so") {
  const temporary_directory directory;
  overwrite(directory / "file", "x");
  const auto refused = refusal_of(directory / "file" / "j");
  CHECK(refused.code == errc::io_failed);
  CHECK(refused.message.find("the journal in") == 0);
}
