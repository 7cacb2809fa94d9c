// A log whose reader is slow, gone, or a full disk.

#include "runtime/log_writer.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <thread>

namespace {

using quorate::log_writer;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

std::string missing(std::size_t count) {
  return std::to_string(count) + " missing\n";
}

struct pipe_ends {
  pipe_ends() {
    ::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader = ends[0];
    writer = ends[1];
    capacity = ::fcntl(reader, F_GETPIPE_SZ);
  }
  ~pipe_ends() { close_reader(); }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  void close_reader() {
    if (reader >= 0)
      ::close(reader);
    reader = -1;
  }
  /// What comes until nothing has come for a while.
  std::string read(std::chrono::milliseconds quiet) const {
    std::string text;
    std::array<char, 65536> bytes;
    for (pollfd in{reader, POLLIN, 0}; ::poll(&in, 1, static_cast<int>(quiet.count())) == 1;) {
      const auto got = ::read(reader, bytes.data(), bytes.size());
      if (got <= 0)
        break;
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  int reader = -1;
  int writer = -1;  ///< the log's
  int capacity = 0;
};

TEST_CASE("a pipe that nobody reads holds nobody up, and what is missing later is counted") {
  pipe_ends ends;
  log_writer log{ends.writer, missing};
  const std::string line = std::string(999, 'x') + "\n";
  constexpr std::size_t count = 5'000;
  const auto begin = clock::now();
  for (std::size_t i = 0; i < count; ++i)
    log.write(line);
  CHECK(clock::now() - begin < 2s);
  CHECK_FALSE(log.flush(50ms));
  CHECK(log_writer::is_behind());

  const auto text = ends.read(500ms);
  CHECK(log.flush(10s));
  CHECK(text.size() < log_writer::bytes_waiting_max + static_cast<std::size_t>(ends.capacity) + 100'000);
  // In one line, or in two where the thread came late to what had filled up before.
  std::istringstream lines{text};
  std::size_t whole = 0;
  std::size_t said = 0;
  for (std::string one; std::getline(lines, one);)
    if (one.starts_with('x'))
      whole += one.size() == line.size() - 1 ? 1 : 0;
    else
      said += std::stoul(one);
  CHECK(whole > 500);
  CHECK(whole + said == count);
  CHECK(text.ends_with(" missing\n"));
  // And it goes on as if nothing had been.
  log.write("again\n");
  CHECK(log.flush(10s));
  CHECK(ends.read(50ms) == "again\n");
}

TEST_CASE("a writer whose reader never comes back goes away in time") {
  const auto begin = clock::now();
  {
    pipe_ends ends;
    log_writer log{ends.writer, missing};
    for (int i = 0; i < 300; ++i)
      log.write(std::string(999, 'x') + "\n");
  }
  CHECK(clock::now() - begin < 3s);
}

TEST_CASE("a reader that has gone costs nothing but its lines") {
  pipe_ends ends;
  log_writer log{ends.writer, missing};
  ends.close_reader();
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  for (int i = 0; i < 100; ++i)
    log.write("into the void\n");
  CHECK(log.flush(10s));
  std::this_thread::sleep_for(200ms);
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  CHECK_FALSE(log_writer::is_behind());
  // It does not try again and again.
  CHECK((after.tv_sec - before.tv_sec) * 1'000 + (after.tv_nsec - before.tv_nsec) / 1'000'000 < 100);
}

TEST_CASE("a log that finds room again says how many lines are missing, on a line of its own") {
  std::string name = "/tmp/quorate-log-XXXXXX";
  const auto file = ::mkstemp(name.data());
  REQUIRE(file >= 0);
  ::unlink(name.c_str());
  // A file that may not grow any more is a disk without room.
  struct limit_of_size {
    limit_of_size() {
      ::getrlimit(RLIMIT_FSIZE, &before);
      ::signal(SIGXFSZ, SIG_IGN);
    }
    ~limit_of_size() { set(before.rlim_cur); }
    void set(rlim_t bytes) const {
      const rlimit now{bytes, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &now);
    }
    rlimit before{};
  };
  const limit_of_size limit;
  const auto reading = ::dup(file);
  log_writer log{file, missing};
  const auto say = [&](const std::string& line) {
    log.write(line);
    CHECK(log.flush(10s));
  };
  say("one\n");
  limit.set(6);
  say("two\n");
  say("three\n");
  limit.set(limit.before.rlim_cur);
  say("four\n");
  std::array<char, 100> bytes{};
  const auto size = ::pread(reading, bytes.data(), bytes.size(), 0);
  ::close(reading);
  REQUIRE(size > 0);
  CHECK(std::string(bytes.data(), static_cast<std::size_t>(size)) == "one\ntw\n2 missing\nfour\n");
}

}  // namespace
