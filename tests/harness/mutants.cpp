#include "tests/harness/mutants.hpp"

#include "tests/harness/shrink.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace quorate::testing {

namespace {

exploration seeds_of(const mutant& m, std::uint64_t seeds) {
  exploration what;
  what.seeds = seeds;
  what.members = m.members;
  what.shape = m.shape;
  what.workers = 1;  // always the same first seed that fails, so always the same check
  return what;
}

capture hunt_one(const mutant& m, const protocol& ordering, std::uint64_t seeds_max) {
  options how;
  how.checks = checks_of(ordering.name, m.members);
  if (m.plant != nullptr)
    m.plant(how);
  if (m.bends != nullptr)
    how.mutants.bend_role = [&m](std::unique_ptr<any_role> whole,
                                 const role_identity&) -> std::unique_ptr<any_role> {
      if (whole->place() != m.role)
        return whole;
      return std::make_unique<bent_role>(std::move(whole), m.bends());
    };
  auto bent = ordering;
  if (m.replace != nullptr)
    m.replace(bent);
  const auto found = explore(seeds_of(m, seeds_max), bent, how);
  capture result{m.name, m.expected, !found.failures.empty(), found.seeds, {}, found.took};
  if (result.caught)
    result.failure = found.failures.front().failure;
  return result;
}

}  // namespace

bool capture::as_expected() const {
  return caught && (expected.empty() || check_of(failure) == expected);
}

std::string text(const capture& c) {
  constexpr std::size_t failure_max = 120;
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "%-58.*s %6llu %6.1f s  ", static_cast<int>(c.name.size()),
                c.name.data(), static_cast<unsigned long long>(c.seeds), c.took.count());
  return line.data() + (c.caught ? c.failure.substr(0, failure_max) : std::string{"NOT CAUGHT"});
}

std::vector<capture> hunt(std::span<const mutant> table, const protocol& ordering, std::uint64_t seeds_max) {
  std::vector<capture> result(table.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> hunters;
  // Each hunts in a process of its own, so that even a mutant that dies of its bug is reported.
  for (auto left = std::max(1U, std::thread::hardware_concurrency()); left > 0; --left)
    hunters.emplace_back([&] {
      for (auto i = next++; i < table.size(); i = next++)
        result[i] = hunt_one(table[i], ordering, seeds_max);
    });
  for (auto& one : hunters)
    one.join();
  return result;
}

std::vector<found_failure> false_alarms(const mutant& m, const protocol& ordering, std::uint64_t seeds) {
  options how;
  how.checks = checks_of(ordering.name, m.members);
  auto what = seeds_of(m, seeds);
  what.workers = 0;
  return explore(what, ordering, how).failures;
}

}  // namespace quorate::testing
