#include "runtime/data_directory.hpp"

#include "actors/prng.hpp"
#include "runtime/crc32c.hpp"
#include "tests/harness/child_test.hpp"
#include "tests/harness/temporary_directory.hpp"
#include "tests/runtime/power_loss.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>

using namespace quorate;
using namespace quorate::testing;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<data_directory> open_directory(const fs::path& path) {
  auto opened = data_directory::open(path, "demo", "n1");
  if (auto* failed = std::get_if<failure>(&opened))
    FAIL(failed->message);
  auto one = std::move(std::get<std::unique_ptr<data_directory>>(opened));
  const auto failed = one->begin();
  REQUIRE_MESSAGE(!failed, failed.value_or(failure{}).message);
  return one;
}

failure refusal_of(const fs::path& path, const std::string& cluster = "demo",
                   const std::string& node = "n1") {
  auto opened = data_directory::open(path, cluster, node);
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

bool says(const failure& f, const std::string& what) {
  return f.message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a missing directory is made, with a disk of its own and boot 1") {
  const temporary_directory directory;
  const auto one = open_directory(directory / "a" / "b");
  CHECK(one->fresh());
  CHECK(one->boot() == boot_id{1});
  CHECK(one->disk() != disk_id{});
  CHECK(one->path() == directory / "a" / "b");
  CHECK(one->journal_path() == directory / "a" / "b" / "journal");
  CHECK(one->disk() != open_directory(directory / "c/")->disk());
}

TEST_CASE("a later start finds the same disk and the next boot") {
  const temporary_directory directory;
  const auto disk = open_directory(directory.path())->disk();
  for (std::uint64_t boot = 2; boot < 12; ++boot) {
    const auto again = open_directory(directory.path());
    CHECK(again->disk() == disk);
    CHECK(again->boot() == boot_id{boot});
  }
}

TEST_CASE("a directory is fresh until it is settled, also over restarts") {
  const temporary_directory directory;
  CHECK(open_directory(directory.path())->fresh());
  {
    const auto second = open_directory(directory.path());
    CHECK(second->fresh());
    REQUIRE(!second->settle());
    CHECK(!second->fresh());
    REQUIRE(!second->settle());
  }
  const auto third = open_directory(directory.path());
  CHECK(!third->fresh());
  CHECK(third->boot() == boot_id{3});
}

TEST_CASE("a directory in use is refused, and is free again afterwards") {
  const temporary_directory directory;
  auto first = open_directory(directory.path());
  const auto refused = refusal_of(directory.path());
  CHECK(refused.code == errc::in_use);
  CHECK(says(refused, directory.path().string()));
  CHECK(says(refused, "process " + std::to_string(::getpid())));
  first.reset();
  const auto again = open_directory(directory.path());
  CHECK(again->boot() == boot_id{2});  // the refused start has changed nothing
}

TEST_CASE("a lock cannot be removed, and a directory that was moved or copied has one of its own") {
  const temporary_directory directory;
  fs::create_directory(directory / "a");
  const auto first = open_directory(directory / "a");
  REQUIRE(!first->settle());
  fs::copy(directory / "a", directory / "copy", fs::copy_options::recursive);
  CHECK(open_directory(directory / "copy")->boot() == boot_id{2});
  for (const auto& entry : fs::directory_iterator{directory / "a"})
    fs::remove_all(entry.path());
  CHECK(refusal_of(directory / "a").code == errc::in_use);
  fs::rename(directory / "a", directory / "b");
  CHECK(refusal_of(directory / "b").code == errc::in_use);
  fs::create_directory_symlink(directory / "b", directory / "link");
  CHECK(refusal_of(directory / "link").code == errc::in_use);
}

TEST_CASE("a journal or a state that two directories share is one node's") {
  const temporary_directory directory;
  const auto first = open_directory(directory / "a");
  for (const auto* part : {"journal", "state"}) {
    CAPTURE(part);
    fs::copy(directory / "a", directory / "b", fs::copy_options::recursive);
    fs::remove_all(directory / "b" / part);
    fs::create_directory_symlink(directory / "a" / part, directory / "b" / part);
    const auto before = read(directory / "b" / "identity");
    const auto refused = refusal_of(directory / "b");
    CHECK(refused.code == errc::in_use);
    CHECK(says(refused, (directory / "b" / part).string()));
    CHECK(read(directory / "b" / "identity") == before);
    fs::remove_all(directory / "b");
  }
}

TEST_CASE("child: has a state's lock" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const auto fd = ::open(child_argument(), O_RDWR | O_CREAT, 0600);
  struct ::flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  report(::fcntl(fd, F_SETLK, &lock) == 0 ? 1 : 0);
  std::this_thread::sleep_for(std::chrono::seconds{60});
}

TEST_CASE("a state that a tool of RocksDB's has open is refused before anything is written") {
  const temporary_directory directory;
  open_directory(directory / "d");
  child_test child{"child: has a state's lock", (directory / "d" / "state" / "LOCK").string()};
  std::uint64_t locked = 0;
  REQUIRE(child.next(locked));
  REQUIRE(locked == 1);
  CHECK(refusal_of(directory / "d").code == errc::in_use);
  child.kill();
  CHECK(open_directory(directory / "d")->boot() == boot_id{2});
}

TEST_CASE("until it begins, a start has written nothing and counted no boot") {
  const temporary_directory directory;
  const auto path = directory / "d";
  for (auto i = 0; i < 3; ++i) {
    CHECK(refusal_of(path).code == errc::ok);
    CHECK(fs::is_empty(path));
  }
  CHECK(open_directory(path)->boot() == boot_id{1});
  const auto before = read(path / "identity");
  for (auto i = 0; i < 3; ++i)
    CHECK(refusal_of(path).code == errc::ok);
  CHECK(read(path / "identity") == before);
  CHECK(open_directory(path)->boot() == boot_id{2});
}

TEST_CASE("whatever is made can be read by its owner only") {
  const temporary_directory directory;
  const auto umask = ::umask(0);
  open_directory(directory / "a" / "b");
  ::umask(umask);
  for (const auto* name : {"a", "a/b", "a/b/journal", "a/b/state", "a/b/identity"}) {
    CAPTURE(name);
    struct ::stat facts {};
    REQUIRE(::stat((directory / name).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 077) == 0);
  }
}

TEST_CASE("what is strange in a data directory is left alone, and said in one line") {
  const temporary_directory directory;
  CHECK(open_directory(directory.path())->notes().empty());
  fs::create_directory(directory / "lost+found");
  for (auto i = 0; i < 20; ++i)
    overwrite(directory / ("identity~" + std::to_string(i) + "\n"), "mine");
  const auto d = open_directory(directory.path());
  REQUIRE(d->notes().size() == 1);
  CHECK(d->notes()[0].find('\n') == std::string::npos);
  CHECK(d->notes()[0].find("identity~0?") != std::string::npos);
  CHECK(d->notes()[0].find("and 13 more") != std::string::npos);
  CHECK(read(directory / "identity~7\n") == "mine");
}

TEST_CASE("a directory of version 0.1.0 is refused in one line that says so") {
  const temporary_directory directory;
  const std::string text{"quorate data directory\nformat 1\ncluster demo\nnode n1\ndisk 00000000000000ff\n"
                         "boot 3\nsettled 1\n"};
  std::array<char, 9> sum{};
  std::snprintf(sum.data(), sum.size(), "%08x", crc32c(text));
  overwrite(directory / "identity", text + "checksum " + sum.data() + "\n");
  const auto refused = refusal_of(directory.path());
  CHECK(refused.code == errc::bad_config);
  CHECK(says(refused, "format 1, made by an older version"));
}

TEST_CASE("a start that ends at any of its calls leaves a directory that starts, with a boot of its own") {
  using fault = power_loss::fault;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const temporary_directory directory;
    prng random{seed};
    power_loss calls{directory.path(), random};
    std::uint64_t seen = 0;
    std::optional<disk_id> disk;
    for (auto start = 0; start < 8; ++start) {
      constexpr fault all[] = {fault::kill, fault::error, fault::no_space, fault::short_write,
                               fault::interrupted};
      if (start < 7)
        calls.plan(all[random.below(std::size(all))], random.between(1, 25));
      std::error_code ignored;
      const auto unfinished = directory / "a" / "d" / "identity.new";
      const auto before = fs::exists(unfinished, ignored);
      {
        auto opened = data_directory::open(directory / "a" / "d", "demo", "n1", calls);
        auto* d = std::get_if<std::unique_ptr<data_directory>>(&opened);
        const auto failed = d == nullptr ? std::get<failure>(opened) : (*d)->begin();
        CHECK_MESSAGE((!failed || calls.struck()), failed.value_or(failure{}).message);
        if (!failed) {
          CHECK((*d)->boot().value > seen);
          seen = (*d)->boot().value;
          CHECK(disk.value_or((*d)->disk()) == (*d)->disk());
          disk = (*d)->disk();
          if ((*d)->settle() && !calls.struck())
            FAIL("cannot be settled");
        } else {
          CHECK((!fs::exists(unfinished, ignored) || before || calls.killed()));
        }
      }
      random.chance(50) ? calls.lose_power() : calls.restart();
    }
  }
}

TEST_CASE("another node's or cluster's directory is refused, naming both") {
  const temporary_directory directory;
  open_directory(directory.path());
  const auto node = refusal_of(directory.path(), "demo", "n2");
  CHECK(node.code == errc::bad_config);
  CHECK(says(node, "belongs to node n1 of cluster demo, not to node n2 of cluster demo"));
  const auto cluster = refusal_of(directory.path(), "other", "n1");
  CHECK(cluster.code == errc::bad_config);
  CHECK(says(cluster, "not to node n1 of cluster other"));
  CHECK(open_directory(directory.path())->boot() == boot_id{2});
}

TEST_CASE("an identity that was truncated or flipped is refused, byte by byte") {
  const temporary_directory directory;
  open_directory(directory.path());
  const auto file = directory / "identity";
  const auto whole = read(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    overwrite(file, whole.substr(0, i));
    CHECK(refusal_of(directory.path()).code == errc::corrupt);
    auto flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
    overwrite(file, flipped);
    const auto refused = refusal_of(directory.path());
    CHECK(refused.code == errc::corrupt);
    CHECK(says(refused, file.string()));
  }
  overwrite(file, whole + "x");
  CHECK(refusal_of(directory.path()).code == errc::corrupt);
  overwrite(file, whole);
  CHECK(refusal_of(directory.path()).code == errc::ok);
}

TEST_CASE("data without an identity is refused") {
  const temporary_directory directory;
  {
    const auto d = open_directory(directory.path());
    CHECK(fs::is_directory(d->journal_path()));
  }
  fs::remove(directory / "identity");
  const auto refused = refusal_of(directory.path());
  CHECK(refused.code == errc::corrupt);
  CHECK(says(refused, (directory / "identity").string()));
}

TEST_CASE("somebody else's directory is refused and left as it was") {
  const temporary_directory directory;
  overwrite(directory / "letter.txt", "dear");
  const auto refused = refusal_of(directory.path());
  CHECK(refused.code == errc::bad_config);
  CHECK(says(refused, "letter.txt"));
  CHECK(std::distance(fs::directory_iterator{directory.path()}, {}) == 1);
  CHECK(refusal_of(directory / "letter.txt").code == errc::bad_config);
  CHECK(refusal_of(directory / "letter.txt" / "below").code == errc::io_failed);
}

TEST_CASE("what a start leaves that dies before it has an identity is in nobody's way") {
  const temporary_directory directory;
  overwrite(directory / "identity.new", "quorate da");
  fs::create_directory(directory / "lost+found");  // a disk's root
  overwrite(directory / ".nfs0001", "");
  CHECK(open_directory(directory.path())->boot() == boot_id{1});
}

TEST_CASE("names that would break the identity file are refused") {
  const temporary_directory directory;
  CHECK(refusal_of(directory / "d", "demo\nnode n9", "n1").code == errc::bad_config);
  CHECK(refusal_of(directory / "d", "demo", "").code == errc::bad_config);
  CHECK(!fs::exists(directory / "d"));
}

TEST_CASE("child: boots and is killed" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  for (;;) {
    const auto d = open_directory(child_argument());
    report(d->boot().value);
  }
}

TEST_CASE("a boot that somebody has seen never comes again, wherever the process is killed") {
  const temporary_directory directory;
  prng random{3};
  std::uint64_t seen = 0;
  for (auto round = 0; round < 10; ++round) {
    child_test child{"child: boots and is killed", (directory / "d").string()};
    std::uint64_t boot = 0;
    REQUIRE(child.next(boot));
    CHECK(boot > seen);
    seen = boot;
    std::this_thread::sleep_for(std::chrono::microseconds{random.below(5000)});
    child.kill();
    while (child.next(boot))
      seen = boot;
  }
  CHECK(open_directory(directory / "d")->boot().value > seen);
}
