#include "runtime/segment_journal.hpp"

#include "runtime/crc32c.hpp"
#include "tests/harness/child_test.hpp"
#include "tests/harness/journal_suite.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <unistd.h>

#include <fstream>
#include <iterator>

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

// Small files, so that a test goes through many.
const segment_journal::tuning small{32u << 10, 2};

std::unique_ptr<segment_journal> open_journal(const fs::path& path,
                                              database presence = database::may_be_new) {
  auto opened = segment_journal::open(path, presence, small);
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  return std::move(std::get<std::unique_ptr<segment_journal>>(opened));
}

failure refusal_of(const fs::path& path, database presence = database::must_exist) {
  auto opened = segment_journal::open(path, presence, small);
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

// Loses power: what was synced stays, and of the rest the disk holds what chance wants.
class segment_subject : public journal_subject {
public:
  segment_subject() : journal_(open_journal(place())), synced_(journal_->tail()) {}

  journal& now() override { return *journal_; }
  status commit(std::vector<journal_op> ops, bool sync) override {
    auto failed = journal_->commit(std::move(ops), sync);
    if (sync)
      synced_ = journal_->tail();
    return failed;
  }
  void crash(prng& random) override {
    const auto [path, end] = journal_->tail();
    journal_.reset();
    // A file is synced before the next one is begun.
    const auto from = path == synced_.first ? synced_.second : segment_file::header_bytes;
    auto bytes = read(path);
    if (end > from) {
      const auto torn = from + random.below(end - from + 1);
      const auto until = torn + random.below(end - torn + 1);
      switch (random.below(3)) {
      case 0:  // a page that was never written
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(torn),
                  bytes.begin() + static_cast<std::ptrdiff_t>(until), '\0');
        break;
      case 1:  // and one that holds something else
        for (auto i = torn; i < until; ++i)
          bytes[i] = static_cast<char>(random.next());
        break;
      default:
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(torn), bytes.end(), '\0');
      }
      overwrite(path, bytes);
    }
    journal_ = open_journal(place());
    synced_ = journal_->tail();
  }

private:
  [[nodiscard]] fs::path place() const { return directory_ / "journal"; }

  temporary_directory directory_;
  std::unique_ptr<segment_journal> journal_;
  std::pair<fs::path, std::size_t> synced_;
};

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator{directory})
    out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<journal_op> rows(std::uint64_t from, std::uint64_t to, std::size_t body) {
  std::vector<journal_op> ops;
  for (auto n = from; n < to; ++n)
    ops.push_back(put("k" + std::to_string(100'000 + n), "v",
                      batch_ref{{node_id{1}, boot_id{1}, n}, payload{std::string(body, 'b')}}));
  return ops;
}

}  // namespace

TEST_CASE("the segment journal keeps every promise of a journal") {
  journal_suite([] { return std::make_unique<segment_subject>(); }, 150);
}

TEST_CASE("files are used again, and what is wanted of them moves on") {
  const temporary_directory directory;
  const auto path = directory / "j";
  const std::size_t body = 1000;
  {
    const auto j = open_journal(path);
    REQUIRE(!j->commit({put("a long-lived row", "1", a_batch(77))}, true));
    // Twenty files' worth, of which the last hundred rows stay.
    for (std::uint64_t n = 0; n < 700; ++n) {
      auto ops = rows(n, n + 1, body);
      if (n >= 20)
        ops.push_back(erase("k", "k" + std::to_string(100'000 + n - 20)));
      REQUIRE(!j->commit(std::move(ops), n % 3 == 0));
    }
    CHECK(j->batches() == 22);
    CHECK(j->disk_bytes() < 8 * small.segment_bytes);
  }
  const auto j = open_journal(path, database::must_exist);
  CHECK(rows_of(*j, "a", "b") == "a long-lived row=1 n1.2.77 bytes of batch 77\n");
  std::size_t count = 0;
  CHECK(!j->scan("k", "", [&](journal_row&& row) {
    count += row.batch && row.batch->body.size() == body ? 1 : 0;
    return true;
  }));
  CHECK(count == 21);
}

TEST_CASE("many starts leave no more files than few") {
  const temporary_directory directory;
  for (auto i = 0; i < 20; ++i) {
    const auto j = open_journal(directory / "j");
    REQUIRE(!j->commit({put("n", std::to_string(i))}, true));
    CHECK(j->disk_bytes() <= 5 * small.segment_bytes);
  }
  CHECK(rows_of(*open_journal(directory / "j")) == "n=19\n");
}

TEST_CASE("a commit that is larger than a file gets a file of its own") {
  const temporary_directory directory;
  {
    const auto j = open_journal(directory / "j");
    REQUIRE(!j->commit(rows(0, 3, 50'000), true));
    REQUIRE(!j->commit(rows(3, 4, 10), true));
  }
  std::size_t bytes = 0;
  CHECK(!open_journal(directory / "j")->scan("", "", [&](journal_row&& row) {
    bytes += row.batch->body.size();
    return true;
  }));
  CHECK(bytes == 150'010);
}

TEST_CASE("a flipped byte is seen, wherever it is, or nothing that was synced is lost") {
  const temporary_directory directory;
  const auto path = directory / "j";
  std::string all;
  {
    const auto j = open_journal(path);
    for (std::uint64_t n = 0; n < 60; ++n)
      REQUIRE(!j->commit(rows(n, n + 1, 900), true));
    // The newest record is the one that a torn tail cannot be told from: nothing of value may stand there.
    REQUIRE(!j->commit({erase("z", "zz")}, true));
    all = rows_of(*j);
  }
  const auto files = files_in(path);
  CHECK(files.size() >= 4);
  prng random{5};
  std::size_t refused = 0;
  for (const auto& file : files) {
    const auto whole = read(file);
    for (auto i = 0; i < 60; ++i) {
      auto bytes = whole;
      const auto at =
          i < 30 ? random.below(std::min<std::size_t>(bytes.size(), 700)) : random.below(bytes.size());
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      const temporary_directory copy;
      fs::copy(path, copy / "j");
      overwrite(copy / "j" / file.filename().string(), bytes);
      CAPTURE(file.string());
      CAPTURE(at);
      auto opened = segment_journal::open(copy / "j", database::must_exist, small);
      if (const auto* failed = std::get_if<failure>(&opened)) {
        CHECK(failed->code == errc::corrupt);
        CHECK(failed->message.find('\n') == std::string::npos);
        ++refused;
      } else {
        CHECK(rows_of(*std::get<std::unique_ptr<segment_journal>>(opened)) == all);
      }
    }
  }
  CHECK(refused > 50);
}

TEST_CASE("a file that is missing, or cut, is refused") {
  const temporary_directory directory;
  const auto path = directory / "j";
  std::string all;
  {
    const auto j = open_journal(path);
    for (std::uint64_t n = 0; n < 90; ++n)
      REQUIRE(!j->commit(rows(n, n + 1, 900), true));
    REQUIRE(!j->commit({erase("z", "zz")}, true));
    all = rows_of(*j);
  }
  std::size_t refused = 0;
  for (const auto& file : files_in(path)) {
    CAPTURE(file.string());
    const auto whole = read(file);
    for (const auto part : {0.0, 0.01, 0.5, 0.99}) {
      const temporary_directory copy;
      fs::copy(path, copy / "j");
      const auto target = copy / "j" / file.filename().string();
      if (part == 0.0)
        fs::remove(target);
      else
        overwrite(target,
                  whole.substr(0, static_cast<std::size_t>(static_cast<double>(whole.size()) * part)));
      auto opened = segment_journal::open(copy / "j", database::must_exist, small);
      if (const auto* failed = std::get_if<failure>(&opened)) {
        CHECK(failed->code == errc::corrupt);
        ++refused;
      } else {
        CHECK(rows_of(*std::get<std::unique_ptr<segment_journal>>(opened)) == all);
      }
    }
  }
  CHECK(refused > 6);
  CHECK(refusal_of(directory / "none").code == errc::corrupt);
}

TEST_CASE("checksums with and without the processor's help are the same") {
  std::string bytes;
  prng random{9};
  for (auto i = 0; i < 300; ++i) {
    CHECK(crc32c(bytes, 7) == detail::crc32c_portable(bytes, 7));
    bytes.push_back(static_cast<char>(random.next()));
  }
  CHECK(crc32c("123456789") == 0xe3069283U);
}
