// Runs one test case of the same program in a process that may be killed.
#pragma once

#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace quorate::testing {

/// A child process that runs the test case `name` alone (declare it with `doctest::skip()`) and reports
/// numbers. A fresh program and not a mere fork: a fork has locks and no threads.
class child_test {
public:
  /// `argument` is what `child_argument` gives the child.
  child_test(const std::string& name, const std::string& argument) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const auto filter = "--test-case=" + name;
    ::setenv("QUORATE_CHILD", argument.c_str(), 1);
    ::setenv("QUORATE_CHILD_REPORTS", std::to_string(ends[1]).c_str(), 1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      if (const auto null = ::open("/dev/null", O_WRONLY); null >= 0)
        ::dup2(null, STDOUT_FILENO);
      ::execl("/proc/self/exe", "child", filter.c_str(), "--no-skip", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::unsetenv("QUORATE_CHILD");
    ::unsetenv("QUORATE_CHILD_REPORTS");
    ::close(ends[1]);
    reports_ = ends[0];
    REQUIRE(pid_ > 0);
  }
  ~child_test() {
    kill();
    ::close(reports_);
  }
  child_test(const child_test&) = delete;
  child_test& operator=(const child_test&) = delete;

  /// SIGKILL, now; returns how it ended, as waitpid tells.
  int kill() {
    if (pid_ > 0)
      ::kill(pid_, SIGKILL);
    return wait();
  }
  int wait() {
    if (pid_ > 0 && ::waitpid(pid_, &ended_, 0) == pid_)
      pid_ = -1;
    return ended_;
  }
  /// Waits for the next number; false at the end of the child.
  bool next(std::uint64_t& number) {
    return ::read(reports_, &number, sizeof(number)) == static_cast<ssize_t>(sizeof(number));
  }

private:
  pid_t pid_ = -1;
  int reports_ = -1;
  int ended_ = 0;
};

/// In the child: what it was given; nothing where this is no child.
inline const char* child_argument() {
  return std::getenv("QUORATE_CHILD");
}

/// In the child: tells the parent a number. Whole, since it is shorter than a pipe's atomic write.
inline void report(std::uint64_t number) {
  static const auto fd = std::atoi(std::getenv("QUORATE_CHILD_REPORTS"));
  if (::write(fd, &number, sizeof(number)) != static_cast<ssize_t>(sizeof(number)))
    ::_exit(3);
}

}  // namespace quorate::testing
