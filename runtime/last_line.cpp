#include "runtime/last_line.hpp"

#include "actors/ensure.hpp"
#include "actors/sanitized.hpp"
#include "runtime/library_output.hpp"
#include "runtime/log_writer.hpp"
#include "runtime/time_stamp.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <system_error>

namespace quorate {

namespace {

constexpr int could_not_go_on = 1;
constexpr int log_waits_max_ms = 500;
constexpr int line_waits_max_ms = 200;
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t detail_bytes_max = 1024;

// Only what a signal handler may touch: plain memory and lock-free atomics.
std::atomic<int> descriptor{STDERR_FILENO};
std::array<char, name_bytes_max> name_bytes;
std::atomic<std::size_t> name_size{0};
std::atomic<bool> named{false};
std::atomic<pid_t> ending{0};  ///< the thread that ends the process
std::atomic<bool> exit_expected{false};

/// A line in memory of its own; what does not fit is left out.
class short_line {
public:
  void add(std::string_view text) noexcept {
    for (const auto c : text)
      if (size_ < bytes_.size() - 1)
        bytes_[size_++] = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  std::string_view finish() noexcept {
    bytes_[size_++] = '\n';
    return {bytes_.data(), size_};
  }

private:
  std::array<char, 2048> bytes_;
  std::size_t size_ = 0;
};

void wait_for_log() noexcept {
  constexpr int step_ms = 5;
  for (int waited = 0; log_writer::is_behind() && waited < log_waits_max_ms; waited += step_ms) {
    const timespec step{0, step_ms * 1'000'000};
    ::nanosleep(&step, nullptr);
  }
}

/// Gives up where nobody takes it in time: the process has to end. What is written at once fits into a pipe that
/// poll calls writable.
void write_out(std::string_view text) noexcept {
  const auto fd = descriptor.load();
  while (!text.empty()) {
    pollfd out{fd, POLLOUT, 0};
    if (::poll(&out, 1, line_waits_max_ms) < 1)
      return;
    const auto done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno != EINTR)
      return;
    text.remove_prefix(done > 0 ? static_cast<std::size_t>(done) : 0);
  }
}

void say(std::string_view why, std::string_view detail, line_form form) noexcept {
  wait_for_log();
  short_line line;
  if (form == line_form::of_log && named.load()) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    line.add(time_stamp{now}.text());
    line.add(" E ");
    line.add({name_bytes.data(), name_size.load()});
    line.add(" node ");
  } else {
    line.add("node_runtime: ");
  }
  line.add(why);
  line.add(detail);
  write_out(line.finish());
}

/// True for one thread only, the first; the others never come back.
void claim_the_end() noexcept {
  const auto self = ::gettid();
  pid_t nobody = 0;
  if (ending.compare_exchange_strong(nobody, self))
    return;
  if (nobody == self)  // saying why has failed in its turn
    ::_exit(could_not_go_on);
  for (;;)
    ::pause();
}

/// Ends the process, and adds what a library has printed just before.
[[noreturn]] void end_for_library(std::string_view why) noexcept {
  std::array<char, detail_bytes_max> said;
  const auto size = take_library_output(said.data(), said.size());
  end_process(why, {said.data(), size});
}

void out_of_memory() {
  end_process("out of memory");
}

[[noreturn]] void terminated() noexcept {
  try {
    if (const auto error = std::current_exception())
      std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    end_process("out of memory");
  } catch (const std::system_error& e) {
    if (e.code() == std::errc::resource_unavailable_try_again)
      end_process("the system gives no more threads: ", e.what());
    end_process("an error that nobody expected: ", e.what());
  } catch (const std::exception& e) {
    end_process("an error that nobody expected: ", e.what());
  } catch (...) {
    end_process("an error that nobody expected, of an unknown kind");
  }
  end_for_library("std::terminate was called: ");
}

void aborted(int) {
  end_for_library("a library has aborted: ");
}

void used_up_time(int) {
  end_process("the limit of processor time (RLIMIT_CPU) is reached");
}

void broken(std::string_view condition, std::string_view place, const std::string& message) {
  std::string where{place};
  where += ": " + message + " (" + std::string{condition} + ")";
  end_process("broken invariant at ", where);
}

std::atomic<const char*> late_line{""};
std::atomic<int> late_code{0};

void is_late(int) {
  claim_the_end();
  say(late_line.load(), {}, line_form::of_log);
  ::_exit(late_code.load());
}

void exited() {
  if (!exit_expected.load())
    end_for_library("a library has ended the process: ");
}

/// Says so, and lets the signal end the process, so that there is a core file where the system keeps these.
void crashed(int signal) {
  // Says it once, whatever crashes while it does.
  pid_t nobody = 0;
  if (ending.compare_exchange_strong(nobody, ::gettid()))
    say("ends by a signal: ", ::sigdescr_np(signal), line_form::of_log);
  ::raise(signal);
}

void handle(int signal, void (*handler)(int), int flags) noexcept {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void last_lines_to(int fd, std::string_view node) noexcept {
  named = false;
  const auto size = std::min(node.size(), name_bytes.size());
  std::copy_n(node.begin(), size, name_bytes.begin());
  name_size = size;
  descriptor = fd;
  named = true;
}

void end_process(std::string_view why, std::string_view detail) noexcept {
  claim_the_end();
  say(why, detail, line_form::of_log);
  ::_exit(could_not_go_on);
}

void say_last(std::string_view line, line_form form) noexcept {
  say(line, {}, form);
}

void install_endings() noexcept {
  std::set_new_handler(&out_of_memory);
  std::set_terminate(&terminated);
  set_ensure_handler(&broken);
  static_cast<void>(std::atexit(&exited));
  handle(SIGABRT, &aborted, 0);
  handle(SIGXCPU, &used_up_time, 0);
  // A sanitizer says more about these.
  if (sanitized)
    return;
  for (const auto signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGQUIT})
    handle(signal, &crashed, static_cast<int>(SA_RESETHAND));
}

void end_after(unsigned seconds, const char* line, int exit_code) noexcept {
  late_line = line;
  late_code = exit_code;
  handle(SIGALRM, &is_late, 0);
  ::alarm(seconds);
}

void expect_exit() noexcept {
  exit_expected = true;
}

}  // namespace quorate
