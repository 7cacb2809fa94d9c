// A simulated cluster: nodes, network and clients.
#pragma once

#include "tests/harness/client.hpp"
#include "tests/harness/sim_node.hpp"
#include "tests/harness/simulator.hpp"

namespace quorate::testing {

/// Nodes, network and clients of one run, and the faults that hit them.
class cluster : public sim_cluster {
public:
  cluster(surroundings& around, const protocol& ordering, const options& how, workload& work);

  /// Starts all nodes and clients, and lets the scenario's faults happen.
  void begin();
  /// Everything works from now on, all nodes are up but those that have lost their disks; clients ask no
  /// more.
  void heal();

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const sim_node& node(std::size_t i) const { return *nodes_[i]; }
  [[nodiscard]] client& client_of(std::size_t i) { return *clients_[i]; }
  [[nodiscard]] history& operations() { return operations_; }
  [[nodiscard]] bool members_equal() const;
  [[nodiscard]] run_outcome outcome() const;

  void transmit(const origin& from, node_id to, const role_address& role, const box& message) override;
  void to_client(node_id at, const box& message) override;
  void stopped(node_id node) override;

private:
  [[nodiscard]] sim_node& node_of(node_id n) { return *nodes_[n.value - 1]; }
  void strike(const fault& f);
  void strike_node(const fault& f, sim_node& n);
  void isolate(const std::vector<node_id>& inside, bool in, bool out, duration lasts);
  void flap(node_id n, time_point until);
  void strike_links(const fault& f);
  void restart_after(sim_node& n, duration wait);
  void during(duration lasts, std::function<void()> end);
  [[nodiscard]] bool may_wipe(const sim_node& n) const;

  surroundings& around_;
  network_model network_;
  prng prng_;
  history operations_;
  std::vector<std::unique_ptr<sim_node>> nodes_;
  std::vector<std::unique_ptr<client>> clients_;
  bool healed_ = false;
};

}  // namespace quorate::testing
