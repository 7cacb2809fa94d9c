#include "tests/harness/process/child_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>

namespace quorate::testing {

namespace {

using clock = std::chrono::steady_clock;

process_end end_of(int status) {
  if (WIFSIGNALED(status))
    return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

/// A later word wins over the test's own of the same name. \pre `more` outlives the result.
std::vector<char*> environment_with(const std::vector<std::string>& more) {
  std::vector<char*> out;
  for (auto** own = environ; *own != nullptr; ++own) {
    const std::string_view word{*own};
    const auto name = word.substr(0, word.find('=') + 1);
    if (std::ranges::none_of(more, [&](const auto& m) { return m.starts_with(name); }))
      out.push_back(*own);
  }
  for (const auto& word : more)
    out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

int open_to_append(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

}  // namespace

std::string text(const process_end& end) {
  if (end.signal != 0)
    return std::string{"signal "} + ::strsignal(end.signal);
  return "exit code " + std::to_string(end.exit_code);
}

child_process::child_process(child_process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), ended_(std::exchange(other.ended_, std::nullopt)) {}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    ended_ = std::exchange(other.ended_, std::nullopt);
  }
  return *this;
}

bool child_process::start(const std::vector<std::string>& words, const std::filesystem::path& output,
                          const std::filesystem::path& errors, const child_surroundings& surroundings) {
  // All that the child needs is made before the fork: other threads may hold the allocator's locks then.
  std::vector<char*> argv;
  for (const auto& word : words)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  auto environment = environment_with(surroundings.environment);
  const auto out = open_to_append(output);
  const auto err = open_to_append(errors);
  const auto parent = ::getpid();
  ended_.reset();
  pid_ = out < 0 || err < 0 ? -1 : ::fork();
  if (pid_ == 0) {
    if (surroundings.network >= 0 && ::setns(surroundings.network, CLONE_NEWNET) != 0)
      ::_exit(127);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have gone before that.
    if (::getppid() != parent)
      ::_exit(127);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(argv.front(), argv.data(), environment.data());
    ::_exit(127);
  }
  ::close(out);
  ::close(err);
  return pid_ > 0;
}

bool child_process::running() {
  return pid_ > 0 && !wait(std::chrono::milliseconds{0});
}

void child_process::signal(int number) {
  // Until it has been waited for, nobody else can have its number.
  if (pid_ > 0)
    ::kill(pid_, number);
}

std::optional<process_end> child_process::wait(std::chrono::milliseconds within) {
  const auto deadline = clock::now() + within;
  while (pid_ > 0) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      ended_ = end_of(status);
    } else if (clock::now() >= deadline) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }
  return ended_;
}

process_end child_process::end() {
  signal(SIGKILL);
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_)
    ended_ = end_of(status);
  pid_ = -1;
  return ended_.value_or(process_end{});
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

finished_program run_program(const std::vector<std::string>& words, const std::filesystem::path& scratch,
                             std::chrono::milliseconds within) {
  const auto output = scratch / "program.out";
  const auto errors = scratch / "program.err";
  std::error_code ignored;
  std::filesystem::remove(output, ignored);
  std::filesystem::remove(errors, ignored);
  finished_program result;
  child_process child;
  if (child.start(words, output, errors)) {
    result.end = child.wait(within);
    child.end();
  }
  result.output = file_text(output);
  result.errors = file_text(errors);
  return result;
}

}  // namespace quorate::testing
