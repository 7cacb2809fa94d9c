// What the fire is made of must do what it says.

#include "tests/fire/slow_disk.hpp"
#include "tests/fire/world.hpp"
#include "tests/harness/process/log_pages.hpp"
#include "tests/harness/process/process_cluster.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

bool append(process_cluster& cluster, std::size_t n, const std::string& value) {
  const auto reply = cluster.client(n, 20s).post("/append_log?timeout_ms=15000", append_text("k", value));
  return reply && reply->status == 200;
}

TEST_CASE("a node that is cut off and the others miss each other until the links are mended") {
  if (!why_no_own_world().empty()) {
    MESSAGE("skipped: " << why_no_own_world());
    return;
  }
  private_network network{3};
  REQUIRE(network.trouble() == "");
  cluster_plan plan;
  for (std::size_t n = 1; n <= 3; ++n)
    plan.places.push_back({network.host(n), {{}, network.descriptor(n)}, {}});
  process_cluster cluster{plan};
  INFO(cluster.report());
  REQUIRE(cluster.start());
  REQUIRE(append(cluster, 3, "before"));
  for (const std::size_t n : {1, 2}) {
    network.cut(n, 3);
    network.cut(3, n);
  }
  CHECK(cluster.wait_log(3, "n1 is silent"));
  CHECK(cluster.wait_log(1, "n3 is silent"));
  CHECK(cluster.wait_log(2, "n3 is silent"));
  CHECK(append(cluster, 1, "meanwhile"));
  // Clients still reach it, and it has no majority.
  CHECK(local_end(*std::make_unique<http_client>(cluster.client(3))) == 1);
  const auto refused = cluster.client(3).post("/append_log?timeout_ms=500", append_text("k", "alone"));
  REQUIRE(refused);
  CHECK(refused->status >= 500);
  for (const std::size_t n : {1, 2}) {
    network.mend(n, 3);
    network.mend(3, n);
  }
  CHECK(append(cluster, 3, "after"));
  CHECK(network.trouble() == "");
  CHECK(cluster.trouble() == "");
}

TEST_CASE("a slow disk delays what is acknowledged") {
  const temporary_directory place;
  cluster_plan plan;
  std::vector<slow_disk> disks;
  for (std::size_t n = 1; n <= 3; ++n) {
    disks.emplace_back(place / ("slow" + std::to_string(n)));
    plan.places.push_back({"127.0.0.1", {disks.back().environment(), -1}, {}});
  }
  process_cluster cluster{plan};
  INFO(cluster.report());
  REQUIRE(cluster.start());
  REQUIRE(append(cluster, 1, "fast"));
  constexpr auto delay = 300ms;
  for (const auto& disk : disks)
    disk.slow_down(delay);
  const auto before = std::chrono::steady_clock::now();
  CHECK(append(cluster, 1, "slow"));
  // Votes are synced before they count, so that no noise can make it shorter.
  CHECK(std::chrono::steady_clock::now() - before >= delay);
  for (const auto& disk : disks)
    disk.slow_down(0ms);
  CHECK(append(cluster, 1, "fast again"));
}

TEST_CASE("a full disk takes not one byte, and some after it was freed") {
  if (!why_no_own_world().empty()) {
    MESSAGE("skipped: " << why_no_own_world());
    return;
  }
  const temporary_directory place;
  small_disk disk{place / "disk", 2};
  REQUIRE(disk.trouble() == "");
  const auto fits = [&] {
    std::ofstream file{disk.where() / "file", std::ios::app};
    file << "x" << std::flush;
    return file.good();
  };
  CHECK(fits());
  std::filesystem::remove(disk.where() / "file");
  disk.fill();
  CHECK(disk.trouble() == "");
  CHECK_FALSE(fits());
  disk.free();
  CHECK(fits());
}

}  // namespace
