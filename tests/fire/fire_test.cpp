// Two minutes of fire, or as long as QUORATE_FIRE_SECONDS says.

#include "tests/fire/driver.hpp"
#include "tests/fire/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>

namespace {

using namespace quorate::testing;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const auto* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

/// Asked to end, the test ends with all of its checks, and puts everything away.
void end_early_when_asked() {
  for (const auto signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { interrupted = true; });
}

std::vector<std::string> first_strikes(std::uint64_t seed, std::size_t nodes) {
  fire_plan plan{seed, nodes};
  std::vector<std::string> out;
  for (auto i = 0; i < 200; ++i)
    for (const auto& a : plan.next().attacks)
      out.push_back(text(a));
  return out;
}

TEST_CASE("one seed makes one plan, and a plan has every kind of fault") {
  for (const std::size_t nodes : {3, 5}) {
    CHECK(first_strikes(7, nodes) == first_strikes(7, nodes));
    CHECK(first_strikes(7, nodes) != first_strikes(8, nodes));
    const auto all = first_strikes(7, nodes);
    for (std::size_t d = 0; d < deed_kinds; ++d)
      CHECK(std::ranges::any_of(all, [&](const std::string& line) {
        return line.starts_with(std::string{to_string(static_cast<deed>(d))} + " n");
      }));
  }
}

TEST_CASE("processes under fire lose nothing that they have acknowledged, and answer in one order") {
  fire_options options;
  options.seed = number("QUORATE_SEED", std::random_device{}());
  options.nodes = number("QUORATE_MEMBERS", options.seed % 2 == 0 ? 3 : 5);
  options.lasts = std::chrono::seconds{number("QUORATE_FIRE_SECONDS", 120)};
  if (const auto* protocol = std::getenv("QUORATE_PROTOCOL"))
    options.protocol = protocol;
  REQUIRE(options.nodes >= 2);
  const auto& shut = why_no_own_world();
  options.own_world = shut.empty();
  if (!shut.empty())
    MESSAGE("no link is cut and no disk is filled here: " << shut);
  end_early_when_asked();
  fire test{options};
  const auto wrong = test.run(interrupted);
  // Otherwise nothing was tested.
  CHECK(test.history().count(append_fate::acknowledged) > 100);
  if (!wrong.empty())
    MESSAGE(test.report());
  REQUIRE(wrong == "");
}

}  // namespace
