#include "runtime/disk_gauge.hpp"

#include "runtime/disk_watch.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>

namespace quorate::testing {

namespace {

constexpr std::uint64_t MiB = 1ULL << 20;
constexpr std::uint64_t GiB = 1ULL << 30;

}  // namespace

TEST_CASE("the reserve is 1 GiB or 2 %, of a small disk an eighth, and what the spec says where it says so") {
  CHECK(disk_reserve_for(100 * GiB, 0) == 2 * GiB);
  CHECK(disk_reserve_for(50 * GiB, 0) == GiB);
  CHECK(disk_reserve_for(20 * GiB, 0) == GiB);
  CHECK(disk_reserve_for(8 * GiB, 0) == GiB);
  CHECK(disk_reserve_for(80 * MiB, 0) == 10 * MiB);
  CHECK(disk_reserve_for(0, 0) == 0);
  for (const auto total : {80 * MiB, 20 * GiB, 100 * GiB})
    CHECK(disk_reserve_for(total, 7 * MiB) == 7 * MiB);
}

TEST_CASE("a disk goes through its levels down and up, and does not flip at a bound") {
  disk_gauge gauge;
  const auto at = [&](std::uint64_t free) { return gauge.measure(free * MiB, 100 * MiB); };
  CHECK(at(1000) == disk_level::roomy);
  CHECK(at(200) == disk_level::roomy);
  CHECK(at(199) == disk_level::low);
  CHECK(at(210) == disk_level::low);
  CHECK(at(100) == disk_level::low);
  CHECK(at(99) == disk_level::full);
  CHECK(at(124) == disk_level::full);
  CHECK(at(99) == disk_level::full);
  CHECK(at(125) == disk_level::low);
  CHECK(at(110) == disk_level::low);
  CHECK(at(249) == disk_level::low);
  CHECK(at(250) == disk_level::roomy);
  CHECK(at(210) == disk_level::roomy);
  // From one end to the other at once.
  CHECK(at(24) == disk_level::spent);
  CHECK(at(30) == disk_level::spent);
  CHECK(at(32) == disk_level::full);
  CHECK(at(0) == disk_level::spent);
  CHECK(at(1000) == disk_level::roomy);
}

TEST_CASE("a disk below the reserve is told at once and again, and warned of once") {
  temporary_directory where;
  std::atomic<int> told{0};
  std::atomic<int> wrong{0};
  std::mutex mutex;
  std::vector<std::string> lines;
  disk_watch_setup setup;
  setup.directories = {where.path(), where.path() / "missing"};
  setup.reserve = 1ULL << 60;
  setup.every = std::chrono::milliseconds{100};
  setup.tell = [&](disk_level level) {
    ++told;
    wrong += level == disk_level::spent ? 0 : 1;
  };
  setup.log = [&](severity level, const std::string& line) {
    std::lock_guard lock{mutex};
    lines.push_back((level == severity::warning ? "" : "odd ") + line);
  };
  {
    disk_watch watch{setup};
    CHECK(told == 1);
    for (int i = 0; i < 500 && told < 2; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    CHECK(watch.figures().free > 0);
    CHECK(watch.figures().reserve == 1ULL << 60);
  }
  CHECK(told >= 2);
  CHECK(wrong == 0);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("the disk is nearly full: "));
}

}  // namespace quorate::testing
