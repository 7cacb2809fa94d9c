#include "runtime/data_directory.hpp"

#include "actors/prng.hpp"
#include "tests/harness/child_test.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <sys/stat.h>

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
  return std::move(std::get<std::unique_ptr<data_directory>>(opened));
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
    fs::create_directory(d->journal_path());
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
  CHECK(!fs::exists(directory / "lock"));
  CHECK(refusal_of(directory / "letter.txt").code == errc::bad_config);
  CHECK(refusal_of(directory / "letter.txt" / "below").code == errc::io_failed);
}

TEST_CASE("what a start leaves that dies before it has an identity is in nobody's way") {
  const temporary_directory directory;
  overwrite(directory / "lock", "");
  overwrite(directory / "identity.new", "quorate da");
  fs::create_directory(directory / "lost+found");  // a disk's root
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
