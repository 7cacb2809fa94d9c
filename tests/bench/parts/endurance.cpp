#include "tests/bench/parts/endurance.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>

namespace quorate::bench {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_every{500};
constexpr auto say_every = std::chrono::seconds{60};
constexpr milliseconds catch_up_within{120'000};

}  // namespace

endurance endure(subject& cluster, const endurance_plan& plan) {
  endurance result;
  std::vector<std::size_t> others;
  for (std::size_t n = 1; n <= cluster.size(); ++n)
    if (n != plan.victim)
      others.push_back(n);
  auto all = cluster.load(plan.clients_per_node * cluster.size(), plan.bytes);
  all.remember = false;  // minutes of it would fill this process's own memory
  const http_load load{std::move(all)};
  std::this_thread::sleep_for(plan.warm_up);

  std::map<std::size_t, double> before;
  std::map<std::size_t, double> highest;
  for (const auto n : others)
    before[n] = highest[n] = usage_of(cluster.id(n)).rss_mib;
  const auto counted = load.count();
  const auto start = steady::now();
  auto said = start;
  cluster.signal(plan.victim, SIGSTOP);
  while (steady::now() < start + plan.frozen) {
    std::this_thread::sleep_for(look_every);
    for (const auto n : others)
      highest[n] = std::max(highest[n], usage_of(cluster.id(n)).rss_mib);
    if (steady::now() - said < say_every)
      continue;
    said = steady::now();
    for (const auto n : others)
      std::printf("  frozen for %.0f s: RSS of n%zu %.0f MiB, %.0f before\n", in_ms(said - start) / 1'000, n,
                  highest[n], before[n]);
    std::fflush(stdout);
  }
  result.per_second = static_cast<double>(load.count() - counted) * 1'000 / in_ms(steady::now() - start);
  std::uint64_t goal = 0;
  for (const auto n : others)
    goal = std::max(goal, cluster.applied(n).value_or(0));
  cluster.signal(plan.victim, SIGCONT);
  const auto thawed = steady::now();
  while (!result.caught_up && steady::now() < thawed + catch_up_within) {
    result.caught_up = goal > 0 && cluster.applied(plan.victim).value_or(0) >= goal;
    result.catch_up = std::chrono::duration_cast<milliseconds>(steady::now() - thawed);
    std::this_thread::sleep_for(milliseconds{10});
  }
  for (const auto n : others)
    if (highest[n] - before[n] >= result.rss_highest_mib - result.rss_before_mib) {
      result.rss_before_mib = before[n];
      result.rss_highest_mib = highest[n];
    }
  return result;
}

}  // namespace quorate::bench
