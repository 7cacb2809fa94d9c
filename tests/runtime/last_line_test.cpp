// However a process ends, it says why in one line.

#include "runtime/last_line.hpp"

#include "actors/ensure.hpp"
#include "actors/outbox.hpp"
#include "actors/sanitized.hpp"
#include "runtime/library_output.hpp"
#include "runtime/logging.hpp"
#include "runtime/process_start.hpp"
#include "tests/harness/child_test.hpp"
#include "tests/harness/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

namespace {

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

void print(const char* text) {
  static_cast<void>(::write(STDERR_FILENO, text, std::char_traits<char>::length(text)));
}

[[noreturn]] void end_of_threads() {
  throw std::runtime_error{"no more threads"};
}

void throws() noexcept {
  end_of_threads();
}

void asks_for_far_too_much() {
  // Volatile: otherwise the compiler may leave out memory that nobody reads.
  static std::string* volatile kept = nullptr;
  kept = new std::string(1ull << 60, 'x');
  delete kept;
}

void eats_memory() {
  // Whatever the compiler thinks of memory that nobody reads.
  static std::vector<std::string*> kept;
  for (;;)
    kept.push_back(new std::string(1 << 20, 'x'));
}

void limit_memory() {
  const rlimit small{1 << 28, 1 << 28};
  ::setrlimit(RLIMIT_AS, &small);
}

void by_signal(int number) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::raise(number);
}

// A sanitizer allocates memory, takes crashes, and leaves what libraries print where it is.
const std::set<std::string> ways_of_sanitizers = {"no memory",
                                                  "no memory in another thread",
                                                  "no room for what is far too large",
                                                  "an assertion of a library",
                                                  "two lines of a library",
                                                  "terminate",
                                                  "a library that exits",
                                                  "a crash"};

struct way_to_end {
  std::function<void()> go;
  int exit_code = 1;  ///< -1: by a signal
  std::string line;   ///< a regular expression for what stands behind " E n7 node "
};

// What a library prints before it ends the process is in the line; what it prints long before has one of its own.
const std::map<std::string, way_to_end> ways = {
    {"an error that is told", {[] { end_process("the state cannot be written: ", "No space"); }, 1,
                               "the state cannot be written: No space"}},
    {"control characters", {[] { end_process("a\nb\x1b[0m"); }, 1, R"(a\?b\?\[0m)"}},
    {"an exception", {throws, 1, "an error that nobody expected: no more threads"}},
    {"an exception of another thread", {[] { std::thread{throws}.join(); }, 1, "an error .*: no more threads"}},
    {"no memory", {[] { limit_memory(), eats_memory(); }, 1, "out of memory"}},
    {"no memory in another thread", {[] { std::thread{[] { limit_memory(), eats_memory(); }}.join(); }, 1,
                                     "out of memory"}},
    {"no room for what is far too large", {[] { asks_for_far_too_much(); }, 1,
                                           "out of memory"}},
    {"an assertion of a library", {[] { print("db.cc:7: Assertion `ok' failed.\n"), std::abort(); }, 1,
                                   R"(a library has aborted: db\.cc:7: Assertion `ok' failed\.)"}},
    {"two lines of a library", {[] { print("one\ntwo\n"), std::abort(); }, 1, R"(a library has aborted: one\?two)"}},
    {"terminate", {[] { print("pure virtual method called\n"), std::terminate(); }, 1,
                   "std::terminate was called: pure virtual method called"}},
    {"a library that exits", {[] { print("epoll\n"), std::exit(0); }, 1, "a library has ended the process: epoll"}},
    {"a broken invariant", {[] { ENSURE(1 == 2, "n7 slot 5"); }, 1, R"(broken invariant at .*: n7 slot 5 \(1 == 2\))"}},
    {"a crash", {[] { by_signal(SIGSEGV); }, -1, "ends by a signal: Segmentation fault"}},
    {"two threads at once", {[] {
       std::thread other{[] { end_process("either"); }};
       end_process("either");
     }, 1, "either"}},
};

TEST_CASE("(child) a process that ends in some way" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const std::string words = child_argument();
  const auto bar = words.find('|');
  const auto file = ::open(words.substr(bar + 1).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(file, STDERR_FILENO);
  begin_process();
  start_logging("n7", log_level::off);
  capture_library_output();
  ways.at(words.substr(0, bar)).go();
}

TEST_CASE("however a process ends, it says why in one line, whatever the level of its log is") {
  const temporary_directory scratch;
  for (const auto& [name, way] : ways) {
    if (sanitized && ways_of_sanitizers.contains(name))
      continue;
    CAPTURE(name);
    const auto file = scratch.path() / "said";
    std::filesystem::remove(file);
    const auto status = child_test{"(child) a process that ends in some way", name + "|" + file.string()}.wait();
    std::ifstream in{file};
    const std::string said{std::istreambuf_iterator<char>{in}, {}};
    CAPTURE(said);
    if (way.exit_code >= 0) {
      REQUIRE(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == way.exit_code);
    } else {
      CHECK(WIFSIGNALED(status));
    }
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK(std::regex_match(said, std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z E n7 node )" + way.line + "\n"}));
  }
}

TEST_CASE("(child) a process with a library that prints" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  const auto file = ::open(child_argument(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(file, STDERR_FILENO);
  begin_process();
  start_logging("n7", log_level::info);
  capture_library_output();
  print("beware\nof this\n");
  std::this_thread::sleep_for(1s);
  flush_logging(1s);
  log(severity::info, "node", "goes on");
  end_process("the end");
}

TEST_CASE("what a library prints while the process goes on comes as lines of the log, in order" *
          doctest::skip(sanitized)) {
  const temporary_directory scratch;
  const auto file = scratch.path() / "said";
  static_cast<void>(child_test{"(child) a process with a library that prints", file.string()}.wait());
  std::ifstream in{file};
  const std::string said{std::istreambuf_iterator<char>{in}, {}};
  CAPTURE(said);
  const std::string stamp = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )";
  CHECK(std::regex_match(said, std::regex{stamp + "W n7 library beware\n" + stamp + "W n7 library of this\n" + stamp +
                                          "I n7 node goes on\n" + stamp + "E n7 node the end\n"}));
}

TEST_CASE("(child) a process whose standard descriptors are closed" * doctest::skip()) {
  if (child_argument() == nullptr)
    return;
  for (int closed = 0; closed < 8; ++closed) {
    for (int fd = 0; fd < 3; ++fd)
      if ((closed & (1 << fd)) != 0)
        ::close(fd);
    occupy_standard_descriptors();
    const auto next = ::open("/dev/null", O_RDONLY);
    report(next > STDERR_FILENO ? 1 : 0);
    ::close(next);
    // Writing to any of them is no error, or one that says so.
    for (int fd = 0; fd < 3; ++fd)
      report(::fcntl(fd, F_GETFD) >= 0 ? 1 : 0);
  }
}

TEST_CASE("no file gets the number of a standard descriptor that was closed") {
  child_test child{"(child) a process whose standard descriptors are closed", "x"};
  std::uint64_t good = 0;
  std::size_t reports = 0;
  while (child.next(good)) {
    CHECK(good == 1);
    ++reports;
  }
  CHECK(reports == 32);
}

}  // namespace
