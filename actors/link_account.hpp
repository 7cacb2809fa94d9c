// What a node knows of its own long messages that are still on their way.
#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace quorate {

/// An account of the links to and from other nodes, of their long messages: those that a short one overtakes.
/// What has not been taken by the other side must not be sent once more, and who is being sent to need not
/// ask. Thread-safe. Deterministic under the simulator.
class link_account {
public:
  /// A message of more bytes is a long one.
  static constexpr std::size_t short_bytes_max = 16 * 1024;

  /// A point in the stream of long messages to one node.
  struct mark {
    std::uint64_t connection = 0;
    std::uint64_t bytes = 0;
  };

  virtual ~link_account() = default;
  /// Behind all long messages to this node that have been handed to its link by now.
  [[nodiscard]] virtual mark handed(node_id to) const = 0;
  /// Whether the node has all that lies before the mark; also where the connection is gone since, and with it
  /// what was on its way.
  [[nodiscard]] virtual bool taken(node_id to, const mark& upto) const = 0;
  /// Part of a long message of this node has come in just now, and the rest has not.
  [[nodiscard]] virtual bool arriving(node_id from) const = 0;
  /// The same of what it sends for others to catch up from.
  [[nodiscard]] virtual bool arriving_in_background(node_id from) const = 0;
  /// How long the last long message of this node was coming in.
  [[nodiscard]] virtual duration transfer(node_id) const { return {}; }
  /// The same of what it sends for others to catch up from.
  [[nodiscard]] virtual duration transfer_in_background(node_id) const { return {}; }
  /// Something of what this node sends for that one to catch up from has not been taken yet.
  [[nodiscard]] virtual bool background_on_its_way(node_id) const { return false; }

  /// All that was handed over by now has been taken.
  [[nodiscard]] bool idle(node_id to) const { return taken(to, handed(to)); }
  /// Of how many of these.
  [[nodiscard]] std::size_t idle_of(const std::vector<node_id>& nodes) const {
    return static_cast<std::size_t>(std::ranges::count_if(nodes, [&](node_id n) { return idle(n); }));
  }
};

/// Where links take no time, or nothing is known of it.
class instant_links final : public link_account {
public:
  [[nodiscard]] mark handed(node_id) const override { return {}; }
  [[nodiscard]] bool taken(node_id, const mark&) const override { return true; }
  [[nodiscard]] bool arriving(node_id) const override { return false; }
  [[nodiscard]] bool arriving_in_background(node_id) const override { return false; }
};

}  // namespace quorate
