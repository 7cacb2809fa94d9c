// What clients have stored is for the eyes of the node's user only.

#include "tests/harness/process/log_pages.hpp"
#include "tests/process/wrapped_node.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

namespace {

using namespace quorate::testing;
namespace fs = std::filesystem;

constexpr auto of_others = fs::perms::group_all | fs::perms::others_all;

std::string open_to_others(const fs::path& directory) {
  std::string out;
  const auto look = [&](const fs::path& path) {
    if ((fs::symlink_status(path).permissions() & of_others) != fs::perms::none)
      out += path.string() + "\n";
  };
  look(directory);
  for (const auto& entry : fs::recursive_directory_iterator{directory})
    look(entry.path());
  return out;
}

TEST_CASE("nobody else may read anything below a data directory, whatever the umask was, after a load and a snapshot") {
  // Whatever is inherited, nothing at all included, it is not used. So short a log that whoever is behind
  // gets a snapshot.
  cluster_plan plan;
  plan.more_spec = "  limits { log-entries = 1000, log-bytes = 1048576 }";
  process_cluster cluster{plan};
  INFO(cluster.report());
  const auto before = ::umask(0);
  wrapped_node third{cluster, 3, {"/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"}};
  REQUIRE(third.start());
  cluster.launch(1);
  cluster.launch(2);
  ::umask(before);
  REQUIRE(third.wait_healthy());
  REQUIRE(cluster.wait_healthy(1));
  third.kill9();
  auto n1 = cluster.client(1);
  for (int i = 0; i < 1'200; ++i)
    REQUIRE(n1.post("/append_log", append_text("k", std::string(2'000, 'x'))));
  REQUIRE(third.start());
  REQUIRE(third.wait_healthy());
  auto n3 = cluster.client(3);
  const auto page = n3.get("/log?limit=1");
  REQUIRE(page);
  CHECK(page->status == 200);
  for (std::size_t n = 1; n <= 3; ++n)
    CHECK(open_to_others(cluster.data(n)) == "");
  REQUIRE(cluster.trouble() == "");
}

TEST_CASE("a data directory that is open to others is used as it is, with one warning") {
  process_cluster cluster{lone_node()};
  REQUIRE(fs::create_directory(cluster.data(1)));
  REQUIRE(::chmod(cluster.data(1).c_str(), 0755) == 0);
  REQUIRE(cluster.start());
  CHECK(cluster.log_lines(1, "open to other users").size() == 1);
  CHECK(fs::status(cluster.data(1)).permissions() == fs::perms{0755});
  REQUIRE(cluster.stop(1));
  REQUIRE(::chmod(cluster.data(1).c_str(), 0700) == 0);
  REQUIRE(cluster.start());
  CHECK(cluster.log_lines(1, "open to other users").empty());
  REQUIRE(cluster.trouble() == "");
}

}  // namespace
