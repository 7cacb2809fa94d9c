#include "actors/ensure.hpp"

#include "actors/errors.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <doctest/doctest.h>

#include <set>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace quorate::testing {

namespace {

struct ending {
  int status = 0;
  std::string said;
};

// What becomes of a process of its own that runs `body`.
template <class Body>
ending run_apart(Body body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], 2);
    // Or doctest takes the signal for its own.
    signal(SIGABRT, SIG_DFL);
    body();
    _exit(0);
  }
  close(ends[1]);
  ending out;
  char buffer[512];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    out.said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(child, &out.status, 0);
  return out;
}

}  // namespace

TEST_CASE("a broken invariant ends the process and says where, what and why") {
  const auto end = run_apart([] { ENSURE(1 + 1 == 3, "numbers of " + std::to_string(42)); });
  CHECK(WIFSIGNALED(end.status));
  CHECK(WTERMSIG(end.status) == SIGABRT);
  CHECK(end.said.find("ensure_test.cpp:") != std::string::npos);
  CHECK(end.said.find("numbers of 42") != std::string::npos);
  CHECK(end.said.find("1 + 1 == 3") != std::string::npos);
}

TEST_CASE("an invariant that holds costs no message") {
  int made = 0;
  const auto message = [&] {
    ++made;
    return std::string{"no"};
  };
  ENSURE(made == 0, message());
  CHECK(made == 0);
  // One statement, also without braces.
  if (made == 1)
    ENSURE(false, message());
  else
    ++made;
  CHECK(made == 1);
}

TEST_CASE("a handler hears of a broken invariant first; where it returns the process still ends") {
  const auto leaves = run_apart([] {
    set_ensure_handler([](std::string_view, std::string_view, const std::string&) { _exit(7); });
    ENSURE(false, std::string{});
  });
  CHECK(WIFEXITED(leaves.status));
  CHECK(WEXITSTATUS(leaves.status) == 7);
  const auto returns = run_apart([] {
    set_ensure_handler([](std::string_view, std::string_view, const std::string&) {});
    ENSURE(false, std::string{});
  });
  CHECK(WIFSIGNALED(returns.status));
}

TEST_CASE("a trap turns a broken invariant into something to report") {
  const invariant_trap trap;
  CHECK_THROWS_WITH_AS(ENSURE(false, std::string{"seed 5"}), doctest::Contains("seed 5"), invariant_broken);
}

TEST_CASE("every expected failure has a name of its own") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(errc::shutting_down); ++code)
    names.insert(to_string(static_cast<errc>(code)));
  CHECK(names.size() == static_cast<std::size_t>(errc::shutting_down) + 1);
  CHECK(!names.contains("unknown"));
  CHECK(to_string(static_cast<errc>(250)) == "unknown");
}

}  // namespace quorate::testing
