// The segment journal where processes are killed, syncs fail and the power is lost, again and again.

#include "runtime/segment_journal.hpp"
#include "tests/harness/journal_suite.hpp"
#include "tests/harness/temporary_directory.hpp"
#include "tests/runtime/power_loss.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

using opened = std::variant<std::unique_ptr<segment_journal>, failure>;

std::string read(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void overwrite(const fs::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
}

std::uint64_t seeds(std::uint64_t in_ci) {
  const auto* wanted = std::getenv("QUORATE_CRASH_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : in_ci;
}

/// A journal on small files, below which everything may go wrong; and what it has promised to hold.
class crashing_journal {
public:
  explicit crashing_journal(std::uint64_t seed) : random_(seed), calls_(directory_.path(), random_) {
    sizes_.segment_bytes = std::size_t{2048} << random_.below(4);
    sizes_.spares_max = random_.below(3);
    sizes_.prepare_beside = false;
    sizes_.calls = &calls_;
  }

  void live() {
    for (auto boots = random_.between(4, 12); boots > 0; --boots) {
      if (random_.chance(70))
        calls_.plan(a_fault(), random_.chance(50) ? random_.between(1, 12) : random_.between(1, 80));
      boot();
      journal_.reset();
      if (random_.chance(55))
        calls_.lose_power();
      else
        calls_.restart();
    }
    // Whatever has happened: it starts again.
    boot();
  }

  std::size_t boots_failed = 0;

private:
  power_loss::fault a_fault() {
    using fault = power_loss::fault;
    constexpr fault all[] = {fault::kill,     fault::kill,        fault::error,
                             fault::no_space, fault::short_write, fault::interrupted};
    return all[random_.below(std::size(all))];
  }

  void boot() {
    auto result = segment_journal::open(directory_ / "j",
                                        settled_ ? database::must_exist : database::may_be_new, sizes_);
    if (const auto* failed = std::get_if<failure>(&result)) {
      INFO(failed->message);
      REQUIRE(calls_.struck());  // nothing was wrong with this start
      CHECK(failed->message.find('\n') == std::string::npos);
      ++boots_failed;
      return;
    }
    journal_ = std::move(std::get<std::unique_ptr<segment_journal>>(result));
    settled_ = true;
    // A prefix of what was committed, and at least what was synced; and all of it stays from now on.
    const auto found = rows_of(*journal_);
    std::size_t kept = 0;
    while (durable_.lines() != found && kept < unsynced_.size())
      durable_.apply(unsynced_[kept++]);
    REQUIRE(durable_.lines() == found);
    unsynced_.clear();
    auto current = durable_;
    for (auto n = random_.below(25); n > 0; --n) {
      const auto ops = random_ops(random_);
      const auto sync = random_.chance(30);
      unsynced_.push_back(ops);
      if (const auto failed = journal_->commit(ops, sync)) {
        INFO(failed->message);
        REQUIRE(calls_.struck());
        return;
      }
      current.apply(ops);
      if (sync) {
        durable_ = current;
        unsynced_.clear();
      }
    }
    REQUIRE(rows_of(*journal_) == current.lines());
  }

  temporary_directory directory_;
  prng random_;
  power_loss calls_;
  segment_journal::tuning sizes_;
  std::unique_ptr<segment_journal> journal_;
  bool settled_ = false;
  journal_twin durable_;
  std::vector<std::vector<journal_op>> unsynced_;
};

}  // namespace

TEST_CASE("the journal starts again with all that was synced, whatever happens to its calls and its disk") {
  std::size_t boots_failed = 0;
  const auto count = seeds(400);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    CAPTURE(seed);
    crashing_journal one{seed};
    one.live();
    boots_failed += one.boots_failed;
  }
  CHECK(boots_failed > count / 4);  // otherwise starts were never disturbed
}

TEST_CASE("a first start that ends at any of its calls leaves a directory that starts") {
  using fault = power_loss::fault;
  std::size_t struck = 0;
  for (const auto what : {fault::kill, fault::error, fault::no_space, fault::short_write, fault::interrupted})
    for (std::size_t n = 1; n < 40; ++n)
      for (const auto power : {false, true}) {
        CAPTURE(static_cast<int>(what));
        CAPTURE(n);
        CAPTURE(power);
        const temporary_directory directory;
        prng random{n};
        power_loss calls{directory.path(), random};
        segment_journal::tuning sizes{4096, 2, false, &calls};
        calls.plan(what, n);
        const auto start = [&]() -> status {
          auto result = segment_journal::open(directory / "j", database::may_be_new, sizes);
          if (auto* failed = std::get_if<failure>(&result))
            return std::move(*failed);
          return std::get<std::unique_ptr<segment_journal>>(result)->commit({put("a", "1")}, true);
        };
        const auto first = start();
        CHECK(first.has_value() == calls.struck());
        struck += calls.struck() ? 1 : 0;
        // What is not whole has not been left behind by a process that lived on.
        if (first && what != fault::kill)
          for (const auto& entry : fs::recursive_directory_iterator{directory.path()})
            CHECK_MESSAGE(entry.path().extension() != ".new", entry.path().string());
        power ? calls.lose_power() : calls.restart();
        const auto second = start();
        CHECK_MESSAGE(!second, second.value_or(failure{}).message);
      }
  CHECK(struck > 40);
}

TEST_CASE("what a start has found in the page cache only is on the disk before anything is built on it") {
  const temporary_directory directory;
  prng random{1};
  power_loss calls{directory.path(), random};
  segment_journal::tuning sizes{4096, 1, false, &calls};
  const auto open = [&] {
    auto result = segment_journal::open(directory / "j", database::may_be_new, sizes);
    if (auto* failed = std::get_if<failure>(&result))
      FAIL(failed->message);
    return std::move(std::get<std::unique_ptr<segment_journal>>(result));
  };
  auto j = open();
  REQUIRE(!j->commit({put("a", "1", a_batch(1))}, true));
  REQUIRE(!j->commit({put("b", "2", a_batch(2))}, false));
  SUBCASE("since nobody has synced it") {}
  SUBCASE("since its sync has failed") {
    calls.plan(power_loss::fault::error, 1);
    REQUIRE(j->commit({}, true));
  }
  j.reset();
  calls.restart();
  // It is answered from, so it must stay, although nothing has been committed since.
  j = open();
  const auto found = rows_of(*j);
  CHECK(found == "a=1 n1.2.1 bytes of batch 1\nb=2 n1.2.2 bytes of batch 2\n");
  j.reset();
  calls.lose_power();
  CHECK(rows_of(*open()) == found);
}

TEST_CASE("a record that was cut off does not come back behind one that is written again") {
  const temporary_directory directory;
  const auto open = [&] {
    auto result = segment_journal::open(directory / "j", database::may_be_new, {8192, 1, true});
    if (auto* failed = std::get_if<failure>(&result))
      FAIL(failed->message);
    return std::move(std::get<std::unique_ptr<segment_journal>>(result));
  };
  // Whatever the first record's length, the one that is lost may end where the cut one begins.
  for (std::size_t length = 0; length < 120; length += 8) {
    CAPTURE(length);
    fs::remove_all(directory / "j");
    const auto second = [&] { return std::vector{put("b", std::string(200, 'b'))}; };
    auto j = open();
    REQUIRE(!j->commit({put("a", "1")}, true));
    const auto [path, from] = j->tail();
    REQUIRE(!j->commit(second(), false));
    const auto to = j->tail().second;
    REQUIRE(!j->commit({put("c", "never told")}, false));
    j.reset();
    auto bytes = read(path);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from),
              bytes.begin() + static_cast<std::ptrdiff_t>(to), '\0');
    overwrite(path, bytes);
    j = open();
    CHECK(rows_of(*j) == "a=1\n");
    if (length > 0)
      REQUIRE(!j->commit({put("b", std::string(length, 'b'))}, true));
    else
      REQUIRE(!j->commit(second(), true));
    const auto told = rows_of(*j);
    j.reset();
    CHECK(rows_of(*open()) == told);
  }
}

TEST_CASE("starts, killed and failed ones too, leave the files within a bound of what is wanted") {
  const temporary_directory directory;
  prng random{7};
  power_loss calls{directory.path(), random};
  constexpr std::size_t segment = 8192;
  const segment_journal::tuning sizes{segment, 2, false, &calls};
  std::uint64_t n = 0;
  std::uint64_t most = 0;
  for (auto start = 0; start < 200; ++start) {
    if (start % 3 == 1)
      calls.plan(power_loss::fault::kill, random.between(1, 20));
    if (start % 3 == 2)
      calls.plan(power_loss::fault::error, random.between(1, 20));
    {
      auto result = segment_journal::open(directory / "j", database::may_be_new, sizes);
      if (auto* j = std::get_if<std::unique_ptr<segment_journal>>(&result)) {
        // Some rows stay for ever, a hundred follow one another: 3,000 bytes and 6,000 are wanted.
        if (start == 0)
          for (std::uint64_t i = 0; i < 30; ++i)
            REQUIRE(!(*j)->commit({put("a" + std::to_string(i), std::string(100, 'a'))}, true));
        for (auto i = random.below(5); i > 0; --i, ++n)
          if ((*j)->commit({put("k" + std::to_string(n % 100), std::string(60, 'k'))}, random.chance(50)))
            break;
      }
    }
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator{directory.path()})
      bytes += entry.is_regular_file() ? entry.file_size() : 0;
    most = std::max(most, bytes);
    calls.restart();
  }
  CAPTURE(n);
  CHECK(most <= 7 * segment);
}

TEST_CASE("a file of which much is wanted does not keep others for ever") {
  const temporary_directory directory;
  constexpr std::size_t segment = 32u << 10;
  const auto open = [&] {
    auto result = segment_journal::open(directory / "j", database::may_be_new, {segment, 2, true});
    REQUIRE(std::holds_alternative<std::unique_ptr<segment_journal>>(result));
    return std::move(std::get<std::unique_ptr<segment_journal>>(result));
  };
  auto j = open();
  // Two files' worth for ever, and then what is replaced again and again.
  for (std::uint64_t i = 0; i < 60; ++i)
    REQUIRE(!j->commit({put("a" + std::to_string(i), std::string(1000, 'a'), a_batch(i))}, false));
  for (std::uint64_t i = 0; i < 2000; ++i)
    REQUIRE(!j->commit({put("k" + std::to_string(i % 3), std::string(1000, 'k'))}, i % 50 == 0));
  CHECK(j->disk_bytes() <= 2 * 64'000 + 8 * segment);
  const auto all = rows_of(*j);
  j.reset();
  CHECK(rows_of(*open()) == all);
}

TEST_CASE("a client's value that looks like records of the journal is none") {
  const temporary_directory directory;
  // What somebody can know: the format, and the whole of a journal of his own.
  std::string forged;
  {
    const durable_files files{system_calls::real()};
    auto made = segment_file::prepare(files, directory / "own", 4096);
    REQUIRE(std::holds_alternative<std::shared_ptr<segment_file>>(made));
    const auto own = std::get<std::shared_ptr<segment_file>>(made);
    REQUIRE(!own->begin({1, 1, 0}));
    for (std::uint64_t seq = 2; seq < 20; ++seq)
      REQUIRE(!own->append(seq, seq, "whatever"));
    const auto all = read(own->path());
    forged = all.substr(segment_file::header_bytes, own->end() - segment_file::header_bytes);
  }
  // The number of the generation is no secret, nor is what is drawn where nothing is.
  const auto open = [&] {
    return segment_journal::open(directory / "j", database::may_be_new,
                                 segment_journal::tuning{512u << 10, 1});
  };
  fs::path path;
  std::size_t at = 0;
  {
    auto result = open();
    REQUIRE(std::holds_alternative<std::unique_ptr<segment_journal>>(result));
    auto& j = *std::get<std::unique_ptr<segment_journal>>(result);
    REQUIRE(!j.commit({put("a", "1")}, true));
    std::tie(path, at) = j.tail();
    // At every place that a record may have.
    std::string value(9000, 'v');
    for (auto i = 0; i < 8; ++i)
      value += std::string(static_cast<std::size_t>(i % 2), 'v') + forged;
    for (std::size_t i = 0; i < 8; ++i)
      REQUIRE(!j.commit({put("b" + std::string(i, 'b'), value)}, false));
  }
  // The power is lost before the first page of it is on the disk.
  auto bytes = read(path);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 4096, '\0');
  overwrite(path, bytes);
  auto result = open();
  if (const auto* failed = std::get_if<failure>(&result))
    FAIL(failed->message);
  CHECK(rows_of(*std::get<std::unique_ptr<segment_journal>>(result)) == "a=1\n");
}

TEST_CASE("two generations have nothing in common by which their records could be taken for one another") {
  const temporary_directory directory;
  const auto header_of = [&](const std::string& name) {
    auto result = segment_journal::open(directory / name, database::may_be_new, {4096, 1, true});
    REQUIRE(std::holds_alternative<std::unique_ptr<segment_journal>>(result));
    return read(std::get<std::unique_ptr<segment_journal>>(result)->tail().first).substr(32, 8);
  };
  CHECK(header_of("one") != header_of("two"));
}

TEST_CASE("what is not the journal's own is left alone, and said in one line") {
  const temporary_directory directory;
  const auto path = directory / "j";
  const auto open = [&] {
    auto result = segment_journal::open(path, database::may_be_new, {4096, 1, true});
    if (auto* failed = std::get_if<failure>(&result))
      FAIL(failed->message);
    return std::move(std::get<std::unique_ptr<segment_journal>>(result));
  };
  REQUIRE(!open()->commit({put("a", "1")}, true));
  CHECK(open()->notes().empty());
  fs::create_directory(path / "lost+found");
  fs::create_directory(path / "77.segment");
  for (const auto* name : {".nfs00012", "1.segment~", "01.segment", "x.segment", "NEWEST.bak", "two\nlines"})
    overwrite(path / name, "mine");
  const auto j = open();
  REQUIRE(j->notes().size() == 1);
  CHECK(j->notes()[0].find("lost+found") != std::string::npos);
  CHECK(j->notes()[0].find('\n') == std::string::npos);
  CHECK(rows_of(*j) == "a=1\n");
  CHECK(fs::is_directory(path / "77.segment"));
  CHECK(read(path / "1.segment~") == "mine");
  CHECK(read(path / "NEWEST.bak") == "mine");
}

TEST_CASE("a journal of version 0.1.0 is refused in one line that says so") {
  const temporary_directory directory;
  fs::create_directory(directory / "j");
  std::string old{"qoteseg1\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 24};
  old.resize(4096, '\0');
  overwrite(directory / "j" / "1.segment", old);
  auto result = segment_journal::open(directory / "j", database::must_exist, {4096, 1, true});
  REQUIRE(std::holds_alternative<failure>(result));
  const auto& refused = std::get<failure>(result);
  CHECK(refused.code == errc::bad_config);
  CHECK(refused.message.find("an older version") != std::string::npos);
}
