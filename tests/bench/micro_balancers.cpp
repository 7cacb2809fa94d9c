// Picks a second of each policy, with 3, 100 and 1,000 nodes on one core.
#include "balancers/registry.hpp"

#include <benchmark/benchmark.h>

#include <array>

namespace {

using namespace quorate;

constexpr std::size_t keys_count = 1024;  // a power of two

void picks(benchmark::State& state, const balancer_policy& which) {
  const auto policy = which.make({});
  std::vector<balancers::candidate> nodes;
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(state.range(0)); ++i)
    nodes.push_back({node_id{i}, i == 1, 10, std::chrono::milliseconds{1 + i % 3}, 0});
  policy->nodes_changed(nodes);
  std::array<std::string, keys_count> keys;
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = "user-" + std::to_string(i * 7919);
  prng random{1};
  const balancers::choice from{nodes, nodes.size() * 10};
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(policy->pick(keys[i++ % keys_count], from, random));
  state.counters["picks/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& b : all_balancers())
    benchmark::RegisterBenchmark(std::string{b.name}.c_str(),
                                 [&b](benchmark::State& state) { picks(state, b); })
        ->Arg(3)
        ->Arg(100)
        ->Arg(1'000);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
