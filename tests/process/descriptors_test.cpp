// What becomes of the log, and of the data, where nobody wants to hear it.

#include "tests/harness/process/log_pages.hpp"
#include "tests/process/wrapped_node.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

/// The shell's words that start a program with `redirections`.
std::vector<std::string> with(const std::string& redirections) {
  return {"/bin/sh", "-c", "exec \"$@\" " + redirections, "sh"};
}

std::size_t append(process_cluster& cluster, std::size_t count) {
  auto n1 = cluster.client(1);
  std::size_t acknowledged = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto reply = n1.post("/append_log", append_text("k", "value " + std::to_string(i)));
    acknowledged += reply && reply->status == 200 ? 1 : 0;
  }
  return acknowledged;
}

TEST_CASE("a node that is started with closed descriptors writes no line into its data") {
  for (const auto* closed : {"<&- >&- 2>&-", "2>&-", "<&-"}) {
    CAPTURE(closed);
    process_cluster cluster{lone_node("debug")};
    REQUIRE(cluster.start());
    auto acknowledged = append(cluster, 20);
    REQUIRE(cluster.stop(1));
    wrapped_node node{cluster, 1, with(closed)};
    REQUIRE(node.start());
    REQUIRE(node.wait_healthy());
    for (const auto* fd : {"0", "1", "2"}) {
      const auto link = "/proc/" + std::to_string(node.id()) + "/fd/" + fd;
      CAPTURE(link);
      std::error_code error;
      const auto target = std::filesystem::read_symlink(link, error);
      CHECK_FALSE(error);
      CHECK_FALSE(target.string().starts_with(cluster.data(1).string()));
    }
    // Each is a line of the log.
    for (int i = 0; i < 20; ++i) {
      node.signal(SIGHUP);
      std::this_thread::sleep_for(2ms);
    }
    acknowledged += append(cluster, 20);
    CHECK(acknowledged == 40);
    node.kill9();
    cluster.launch(1);
    REQUIRE(cluster.wait_healthy(1));
    auto n1 = cluster.client(1);
    const auto log = read_log(n1, true);
    REQUIRE(log);
    CHECK(log->size() == acknowledged);
    REQUIRE(cluster.trouble() == "");
  }
}

/// A pipe of one page, with the test as its reader.
struct small_pipe {
  explicit small_pipe(const std::filesystem::path& where) {
    REQUIRE(::mkfifo(where.c_str(), 0600) == 0);
    reader = ::open(where.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(reader >= 0);
    REQUIRE(::fcntl(reader, F_SETPIPE_SZ, 4096) == 4096);
  }
  ~small_pipe() { close(); }
  small_pipe(const small_pipe&) = delete;
  small_pipe& operator=(const small_pipe&) = delete;
  void close() {
    if (reader >= 0)
      ::close(reader);
    reader = -1;
  }
  int reader = -1;
};

TEST_CASE("a node goes on and stops as ever when the reader of its log sleeps, or has gone") {
  for (const auto gone : {false, true}) {
    CAPTURE(gone);
    process_cluster cluster{lone_node()};
    small_pipe pipe{cluster.directory() / "log"};
    wrapped_node node{cluster, 1, with("2>" + (cluster.directory() / "log").string())};
    REQUIRE(node.start());
    REQUIRE(node.wait_healthy());
    if (gone)
      pipe.close();
    // Some hundred bytes each, which is more than a pipe of a page takes.
    for (int i = 0; i < 200; ++i) {
      node.signal(SIGHUP);
      std::this_thread::sleep_for(2ms);
    }
    CHECK(append(cluster, 20) == 20);
    CHECK(cluster.healthy(1));
    CHECK(node.stop());
  }
}

}  // namespace
