// The simulated network: what becomes of a message between two nodes.
#pragma once

#include "actors/ids.hpp"
#include "actors/prng.hpp"

#include <vector>

namespace quorate::testing {

/// How the network treats its messages while it misbehaves.
struct network_conditions {
  double loss = 0;         ///< percent
  double duplication = 0;  ///< percent
  double stray = 0;        ///< percent that take up to `stray_max`
  bool reorder = true;     ///< false: each link keeps the order of its messages
  bool uneven = false;     ///< links differ: each has its own share of loss and delay
  duration delay_min = std::chrono::microseconds(50);
  duration delay_max = std::chrono::microseconds(500);
  duration stray_max = std::chrono::milliseconds(100);
};

/// Decides when the copies of each message arrive. Cuts are counted, so that faults may overlap.
class network_model {
public:
  /// Nodes have the ids 1 to `nodes`.
  network_model(std::size_t nodes, const network_conditions& conditions, std::uint64_t seed);

  void cut(node_id from, node_id to) { ++link_of(from, to).cuts; }
  void mend(node_id from, node_id to) { --link_of(from, to).cuts; }
  /// Everything that is sent from now on takes so much longer; less than nothing undoes it. These add up too.
  void slow_down(node_id from, node_id to, duration more) { link_of(from, to).more += more; }
  /// From now on nothing is lost, doubled or late.
  void heal();
  /// When the copies of a message that is sent now arrive, as waits from now; none where it is lost.
  [[nodiscard]] const std::vector<duration>& plan(node_id from, node_id to, time_point now);

private:
  struct link {
    int cuts = 0;
    double loss_factor = 1;
    double delay_factor = 1;
    duration more{};
    time_point last{};
  };

  [[nodiscard]] link& link_of(node_id from, node_id to) {
    return links_[(from.value - 1) * nodes_ + to.value - 1];
  }
  [[nodiscard]] duration delay(const link& way);

  std::size_t nodes_;
  network_conditions conditions_;
  std::vector<link> links_;
  prng prng_;
  std::vector<duration> plan_;
};

}  // namespace quorate::testing
