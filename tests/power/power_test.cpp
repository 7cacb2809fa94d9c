// The power goes: a node on a recorded disk, started again from what the disk may have kept.

#include "tests/power/power_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace {

using namespace quorate::testing;

std::uint64_t number_of(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// QUORATE_POWER_LOSS_POINTS says how many power losses are tried, of one node and of three together.
std::size_t points() {
  return number_of("QUORATE_POWER_LOSS_POINTS", 300);
}

/// The first seed; QUORATE_POWER_LOSS_SEED repeats a plan.
std::uint64_t first_seed() {
  return number_of("QUORATE_POWER_LOSS_SEED", 1);
}

void add(power_result& all, power_result&& one) {
  all.points += one.points;
  all.boots += one.boots;
  for (auto& f : one.failures)
    all.failures.push_back(std::move(f));
  for (const auto& [what, times] : one.seen)
    all.seen[what] += times;
}

/// As many plans as it takes.
power_result try_all(power_plan plan, std::size_t wanted) {
  power_result all;
  plan.seed = first_seed();
  // Plans may end early, where something fails, or before the first point.
  const auto last = plan.seed + 4 + 3 * wanted / plan.points;
  for (; all.points < wanted && plan.seed < last; ++plan.seed) {
    auto one = plan;
    one.points = std::min(plan.points, wanted - all.points);
    one.heavy = plan.seed % 4 == 3;
    add(all, power_rig{one}.run());
  }
  return all;
}

void print(const std::string& what, const power_result& r) {
  std::map<std::string, std::size_t> kinds;
  for (const auto& f : r.failures)
    ++kinds[f.substr(0, f.find('\n'))];
  std::cout << what << ": " << r.points << " power losses over " << r.boots << " boots, " << r.failures.size()
            << " failures";
  for (const auto& [kind, times] : kinds)
    std::cout << ", " << times << " x " << kind;
  std::cout << "\n";
  for (const auto& [what_happened, times] : r.seen)
    std::cout << "  " << what_happened << ": " << times << "\n" << std::flush;
}

std::string text(const power_result& r) {
  std::string out;
  for (const auto& f : r.failures)
    out += f + "\n";
  return out;
}

TEST_CASE(
    "one node has all that it has acknowledged, after kills and power losses in any order") {
  const auto r = try_all({.nodes = 1, .boots = 6, .points = 24, .faults = false}, points() * 2 / 5);
  print("one node", r);
  CHECK(text(r) == "");
}

TEST_CASE(
    "... and after failed syncs, short writes, full disks and kills in the middle of a start") {
  const auto r = try_all({.nodes = 1, .boots = 6, .points = 24}, points() * 2 / 5);
  print("one node with a bad disk", r);
  CHECK(text(r) == "");
}

TEST_CASE("three nodes that lose power at once have all that they have acknowledged, and serve") {
  const auto r = try_all({.nodes = 3, .boots = 3, .points = 15}, points() / 5);
  print("three nodes", r);
  CHECK(text(r) == "");
}

TEST_CASE("a sync that is left out is noticed") {
  struct mutant {
    std::string syncs;  ///< see disk_control
    std::uint32_t from = 0;
    std::string seen_as;  ///< what kind of failure; empty: any
  };
  const std::vector<mutant> mutants = {
      {".segment", 0, ""}, {".segment", 8, "the log is wrong"}, {"/", 0, ""},
      {"NEWEST", 0, ""},   {"identity", 0, "does not start"},   {"MANIFEST", 0, "does not start"},
      {".sst", 0, ""},
  };
  for (const auto& m : mutants) {
    power_plan plan{.nodes = 1, .boots = 3, .points = 36, .faults = false, .lost_syncs = m.syncs};
    plan.lost_syncs_from = m.from;
    plan.keep = false;
    plan.first_only = m.from == 0;
    power_result all;
    const auto caught = [&] {
      return std::ranges::any_of(all.failures, [&](const auto& f) { return f.starts_with(m.seen_as); });
    };
    // A busy machine writes less in the same time: then it takes more of them.
    for (plan.seed = 1; plan.seed <= 16 && !caught(); ++plan.seed) {
      plan.heavy = plan.seed % 2 == 0;
      add(all, power_rig{plan}.run());
    }
    CHECK_MESSAGE(caught(), m.syncs);
    print("without syncs of " + m.syncs, all);
  }
}

TEST_CASE("one power loss, again") {
  const auto* kept = std::getenv("QUORATE_POWER_LOSS_REPLAY");
  if (kept == nullptr)
    return;
  std::ifstream in{std::filesystem::path{kept} / "loss"};
  power_plan plan;
  in >> plan.nodes >> plan.seed;
  REQUIRE(in.good());
  CHECK(power_rig{plan}.replay(kept) == "");
}

}  // namespace
