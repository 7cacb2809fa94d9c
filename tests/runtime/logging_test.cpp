#include "runtime/logging.hpp"

#include "actors/outbox.hpp"
#include "runtime/time_stamp.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <regex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

/// What `body` writes to stderr.
template <class Body>
std::string stderr_of(Body body) {
  auto* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const auto saved = dup(STDERR_FILENO);
  REQUIRE(dup2(fileno(file), STDERR_FILENO) >= 0);
  body();
  flush_logging(10s);
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::string text;
  std::rewind(file);
  for (int c = 0; (c = std::fgetc(file)) != EOF;)
    text.push_back(static_cast<char>(c));
  std::fclose(file);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// Silence again, whatever a test has started.
struct quiet_after {
  quiet_after() = default;
  quiet_after(const quiet_after&) = delete;
  quiet_after& operator=(const quiet_after&) = delete;
  ~quiet_after() { start_logging({}, log_level::off); }
};

}  // namespace

TEST_CASE("a log line has date, time, time zone, level, node, speaker and what was said") {
  const quiet_after quiet;
  const auto lines = lines_of(stderr_of([] {
    start_logging("n2", log_level::debug);
    log(severity::debug, "acceptor g0 e0", "promised 5.n2");
    log(severity::info, "", "listening {} %v");
    log(severity::warning, "node", "");
    log(severity::error, "node", "bad\nname\x1b[0m");
    start_logging("", log_level::info);
    log(severity::info, "n1 node", "many in one process");
  }));
  const std::vector<std::string> expected = {R"(D n2 acceptor g0 e0 promised 5\.n2)",
                                             R"(I n2 listening \{\} %v)", "W n2 node",
                                             R"(E n2 node bad\?name\?\[0m)", "I n1 node many in one process"};
  REQUIRE(lines.size() == expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    CHECK_MESSAGE(std::regex_match(lines[i], std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )" + expected[i]}),
                  lines[i]);
}

TEST_CASE("only lines of the level or above are written") {
  const quiet_after quiet;
  const auto count = [](log_level level) {
    std::size_t enabled = 0;
    const auto text = stderr_of([&] {
      start_logging("n1", level);
      for (const auto s : {severity::debug, severity::info, severity::warning, severity::error}) {
        log(s, "x", "y");
        enabled += log_enabled(s) ? 1 : 0;
      }
    });
    CHECK(lines_of(text).size() == enabled);
    return enabled;
  };
  CHECK(count(log_level::trace) == 4);
  CHECK(count(log_level::debug) == 4);
  CHECK(count(log_level::info) == 3);
  CHECK(count(log_level::warn) == 2);
  CHECK(count(log_level::error) == 1);
  CHECK(count(log_level::off) == 0);
}

TEST_CASE("lines of several threads do not mix") {
  const quiet_after quiet;
  const auto lines = lines_of(stderr_of([] {
    start_logging("n1", log_level::info);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i)
          log(severity::info, "thread", "0123456789");
      });
    for (auto& t : threads)
      t.join();
  }));
  CHECK(lines.size() == 800);
  for (const auto& line : lines)
    CHECK(line.ends_with(" I n1 thread 0123456789"));
}

TEST_CASE("a log goes to what stderr was when it began, whatever descriptor 2 becomes") {
  const quiet_after quiet;
  std::string elsewhere;
  const auto lines = lines_of(stderr_of([&] {
    start_logging("n1", log_level::info);
    elsewhere = stderr_of([] { log(severity::info, "node", "in its place"); });
  }));
  CHECK(elsewhere == "");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with(" I n1 node in its place"));
}

TEST_CASE("a time stamp is the system's idea of the time, in UTC") {
  for (const std::time_t at : {0L, 951'782'399L, 951'782'400L, 1'795'807'375L, 4'102'444'799L}) {
    tm broken{};
    REQUIRE(gmtime_r(&at, &broken) != nullptr);
    std::array<char, 64> text{};
    REQUIRE(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.987Z", &broken) > 0);
    CHECK(time_stamp{{at, 987'654'321}}.text() == text.data());
  }
}
