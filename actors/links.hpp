// Where a node's roles find one another's actors, on this node and on others.
#pragma once

#include "actors/message.hpp"

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

namespace quorate {

/// A role within a node. Roles that outlive epochs have epoch 0.
struct role_address {
  group_id group;
  epoch_id epoch;
  port role = port::node;
  friend constexpr auto operator<=>(const role_address&, const role_address&) = default;
};

/// The way to one node: its roles' actors while it is connected, and how much is on its way to it.
/// Thread-safe. Invariant: the bytes in flight never exceed the limit by more than one message.
class link {
public:
  using handle_map = std::map<role_address, caf::strong_actor_ptr>;

  /// `bytes_max`: unacknowledged bytes at which messages are dropped; 0 for no limit (the own node).
  explicit link(std::size_t bytes_max = 0) : bytes_max_(bytes_max) {}

  /// The actor of a role there, or null while there is none.
  [[nodiscard]] caf::strong_actor_ptr find(const role_address& role) const;
  /// One role more, on this node or told by the other one.
  void add(const role_address& role, caf::strong_actor_ptr handle);
  /// The other process is gone: no handles, nothing in flight.
  void reset();
  [[nodiscard]] handle_map handles() const;

  /// May a message of this size be sent? Counts it as in flight if so, as dropped if not.
  [[nodiscard]] bool admit(std::size_t bytes);
  /// The other side has received this many bytes.
  void acknowledged(std::size_t bytes);
  /// This many bytes have come from the other side. \returns how many are now unacknowledged by us.
  std::size_t received(std::size_t bytes) { return received_.fetch_add(bytes) + bytes; }
  /// The bytes that came since the last call: to be acknowledged.
  [[nodiscard]] std::size_t take_received() { return received_.exchange(0); }

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  handle_map handles_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> received_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

/// All links of a node; made once with all nodes of the spec, then only read.
class links {
public:
  links(node_id self, const std::vector<node_id>& nodes, std::size_t bytes_max);

  [[nodiscard]] link& own() const { return *links_.at(self_); }
  /// Null for a node that is not in the spec.
  [[nodiscard]] link* find(node_id node) const;
  [[nodiscard]] node_id self() const { return self_; }

  /// Called when much has come from a node since it was last told so: set by the transport before any role
  /// runs.
  std::function<void(node_id)> acknowledge_soon;

private:
  node_id self_;
  std::map<node_id, std::unique_ptr<link>> links_;
};

}  // namespace quorate
