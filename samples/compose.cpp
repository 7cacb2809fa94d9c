// Three nodes inside one program, with a state machine of our own: a counter per key.
#include "runtime/local_cluster.hpp"

#include <caf/all.hpp>

#include <iostream>

using namespace quorate;

/// Adds the number in each command to the counter of its key; answers with the sum.
struct counter : state_machine {
  std::string_view name() const override { return "counter"; }

  void apply(log_index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    for (const auto& c : commands) {
      const auto sum = std::stoll(state.get(c.key).value_or("0")) + std::stoll(std::string{c.body});
      state.put(std::string{c.key}, std::to_string(sum));
      answers.push_back({errc::ok, std::to_string(sum)});
    }
  }

  machine_answer query(std::string_view key, const store_view& view) const override {
    return {errc::ok, view.get(key).value_or("0")};
  }
};

int main() {
  initialize();
  caf::actor_system_config config;
  caf::actor_system system{config};

  cluster_spec spec;
  spec.name = "counters";
  spec.machine = "counter";
  for (std::uint32_t n = 1; n <= 3; ++n)
    spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
  local_options options;
  options.make_machine = [] { return std::make_unique<counter>(); };
  local_cluster cluster{system, spec, options};

  // Any node takes any command; a linearizable read at any node sees all of them.
  for (std::uint32_t i = 0; i < 30; ++i)
    if (const auto reply = cluster.write(node_id{1 + i % 3}, "visits", "1").get(); reply.code != errc::ok)
      std::cerr << "not counted: " << reply.body.view() << "\n";
  std::cout << "n2 counts " << cluster.read(node_id{2}, "visits").get().body.view() << " visits\n";

  cluster.crash(node_id{1});
  std::cout << "n1 is down; n3 adds one: " << cluster.write(node_id{3}, "visits", "1").get().body.view()
            << "\n";
  cluster.restart(node_id{1});
  std::cout << "n1 is back and counts " << cluster.read(node_id{1}, "visits").get().body.view() << "\n";
}
