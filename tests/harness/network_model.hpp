// The simulated network: what becomes of a message between two nodes.
#pragma once

#include "actors/ids.hpp"
#include "actors/prng.hpp"

#include <deque>
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
  std::uint64_t bytes_per_second = 0;  ///< of all that one node sends; 0: as much as it likes
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
  [[nodiscard]] const std::vector<duration>& plan(node_id from, node_id to, time_point now,
                                                  std::size_t bytes = 0);

  /// Long messages go in pieces; a short one waits for two of these at most.
  static constexpr std::size_t piece_bytes = 32 * 1024;

  /// The account of the long messages of a link.
  [[nodiscard]] std::uint64_t handed(node_id from, node_id to) { return link_of(from, to).handed; }
  [[nodiscard]] std::uint64_t taken(node_id from, node_id to, time_point now);
  [[nodiscard]] bool arriving(node_id from, node_id to, time_point now);
  [[nodiscard]] duration transfer(node_id from, node_id to, time_point now);

private:
  struct crossing {
    time_point begins{};
    time_point ends{};
    std::uint64_t upto = 0;
  };
  /// What heals.
  struct condition {
    int cuts = 0;
    double loss_factor = 1;
    double delay_factor = 1;
    duration more{};
    time_point last{};
  };
  struct link : condition {
    std::uint64_t handed = 0;
    std::uint64_t taken = 0;
    duration took{};                 ///< of the last one that has ended
    std::deque<crossing> transfers;  ///< of long messages, that had not ended when last asked
  };

  [[nodiscard]] link& link_of(node_id from, node_id to) {
    return links_[(from.value - 1) * nodes_ + to.value - 1];
  }
  [[nodiscard]] duration delay(const link& way);
  /// How long these bytes wait for others, and take themselves.
  [[nodiscard]] duration transmission(link& way, node_id from, time_point now, std::size_t bytes);
  static void forget_ended(link& way, time_point now);

  std::size_t nodes_;
  network_conditions conditions_;
  std::vector<link> links_;
  std::vector<time_point> free_at_;  ///< by node: when it has sent all that waits
  prng prng_;
  std::vector<duration> plan_;
};

}  // namespace quorate::testing
