// However the system refuses a node what it needs, the node ends with one line and exit code 1.

#include "actors/sanitized.hpp"
#include "tests/harness/process/log_pages.hpp"
#include "tests/process/wrapped_node.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <thread>

namespace {

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

constexpr int no_such_library = 127;  // the loader's, before there is a program of ours

/// The shell's words that start a program under a limit.
std::vector<std::string> under(const std::string& limit) {
  return {"/bin/sh", "-c", "ulimit " + limit + " && exec \"$@\"", "sh"};
}

/// What is wrong with the way in which it has ended; empty where nothing is.
std::string fault_of_end(const process_end& end, const std::vector<std::string>& lines) {
  if (end == process_end{no_such_library, 0})
    return {};
  if (end != process_end{1, 0})
    return "it ended with " + text(end);
  static const std::regex of_log{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [DIWE] n1 .*)"};
  std::size_t last_words = 0;
  for (const auto& line : lines) {
    if (line.starts_with("node_runtime: ") || line.find("Z E n1 ") != line.npos)
      ++last_words;
    else if (!std::regex_match(line, of_log))
      return "a line that nobody asked for: " + line;
  }
  return last_words == 1 ? std::string{} : std::to_string(last_words) + " lines say why";
}

/// Puts load on the node until it ends, or for so many appends of 256 KiB.
void load(process_cluster& cluster, wrapped_node& node, int appends) {
  auto n1 = cluster.client(1, 1'000ms);
  const auto body = append_text("k", std::string(256 * 1024, 'x'));
  for (int i = 0; i < appends && node.running(); ++i)
    static_cast<void>(n1.post("/append_log?timeout_ms=900", body));
}

std::size_t kib_of(process_cluster& cluster, const std::string& field) {
  std::ifstream in{"/proc/" + std::to_string(cluster.id(1)) + "/status"};
  for (std::string word; in >> word;)
    if (word == field) {
      std::size_t value = 0;
      in >> value;
      return value;
    }
  return 0;
}

/// Starts a node under each of these limits, and loads it. How many ended before they were asked to.
int starve(const std::vector<std::string>& limits, int appends) {
  int ended = 0;
  for (const auto& limit : limits) {
    CAPTURE(limit);
    process_cluster cluster{lone_node()};
    wrapped_node node{cluster, 1, under(limit)};
    REQUIRE(node.start());
    if (node.wait_healthy(5s))
      load(cluster, node, appends);
    // Also between the last append and the signal it may find that it cannot go on, and is on its way to its end.
    node.signal(SIGTERM);
    const auto end = node.await_end(8s);
    const auto lines = node.lines();
    std::string said;
    for (const auto& line : lines)
      said += line + "\n";
    CAPTURE(said);
    REQUIRE(end);
    if (*end != process_end{0, 0}) {
      ++ended;
      CHECK(fault_of_end(*end, lines) == "");
    }
  }
  return ended;
}

// A sanitizer wants terabytes of addresses.
TEST_CASE("a node that gets no more memory says so and ends, at whatever moment" * doctest::skip(sanitized)) {
  std::size_t needs = 0;
  {
    process_cluster cluster{lone_node()};
    REQUIRE(cluster.start());
    needs = kib_of(cluster, "VmPeak:");
    REQUIRE(cluster.stop(1));
  }
  REQUIRE(needs > 0);
  std::vector<std::string> limits;
  for (const auto percent : {10u, 15u, 20u, 25u, 30u, 40u, 50u, 60u, 75u, 90u})
    limits.push_back("-v " + std::to_string(needs * percent / 100));
  CHECK(starve(limits, 60) > 2);
}

TEST_CASE("a node whose files may not grow says so and ends, by no signal") {
  // In blocks of 512 bytes. A file of the journal has 16 MiB.
  CHECK(starve({"-f 1", "-f 8", "-f 64", "-f 2000", "-f 16384", "-f 33000", "-f 40000"}, 100) > 4);
}

// A sanitizer opens pipes to see whether memory may be read.
TEST_CASE("a node that gets too few descriptors says so and ends" * doctest::skip(sanitized)) {
  CHECK(starve({"-n 4", "-n 6", "-n 8", "-n 10", "-n 12", "-n 14", "-n 16", "-n 18", "-n 20", "-n 24", "-n 32"}, 10) > 4);
}

TEST_CASE("a node that somebody aborts says so, with exit code 1, also with its log off") {
  process_cluster cluster{lone_node("off")};
  REQUIRE(cluster.start());
  cluster.signal(1, SIGABRT);
  const auto end = cluster.await_end(1, 5s);
  REQUIRE(end);
  CHECK(fault_of_end(*end, cluster.log_lines(1, "")) == "");
  CHECK(cluster.log_lines(1, "").size() == 1);
}

}  // namespace
