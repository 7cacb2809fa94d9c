// Agrees, once, on who the members of a new cluster are.
#pragma once

#include "actors/messages.pb.h"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"
#include "runtime/timings.hpp"

#include <map>
#include <optional>
#include <set>

namespace quorate {

template <>
inline constexpr port destination_of<wire::Hello> = port::founding;

/// founding -> node: the cluster has these members, durably, on this node. From now on this, not the spec,
/// says who the members are and which protocol they run.
struct founded {
  static constexpr std::string_view name = "founded";
  std::vector<member> members;
  std::uint64_t cluster = 0;  ///< stamped on every message from now on
  std::string protocol;
  std::map<std::string, std::string> options;
  std::string machine;
};
QUORATE_LOCAL_MESSAGE(founded, node)

/// founding -> node: why this node has no cluster yet, in one sentence, for the status page.
struct not_founded {
  static constexpr std::string_view name = "not_founded";
  std::string reason;
};
QUORATE_LOCAL_MESSAGE(not_founded, node)

struct founding_setup {
  /// Members without disks; no epoch. Where this node has confirmed or founded, it is what was confirmed
  /// (founded_spec.hpp); else the spec's, numbered by name.
  wire::Founding spec;
  /// Nodes of the spec that were not founded. They are told.
  std::vector<member> strangers;
  /// Where the spec says that nodes are, by name; only to say what has changed since the last start.
  std::map<std::string, std::string> addresses;
  node_id self;
  disk_id disk;
  duration hello_every{};
};

/// Blank -> confirmed -> founded. A node confirms the list of all members' disks once it has heard them all,
/// and founds once every member has confirmed that same list. Invariant: a node never confirms two lists; so
/// no two nodes ever found with different ones, even when a disk is wiped between two messages. (With one
/// step instead of two, a member wiped after another has founded could let the rest found without it: see
/// runtime/docs/2026-11-23-founding.md.) A hello counts by the name in it: until founding has given the
/// numbers to the names for good, nodes whose specs differ may call the same node by different ones.
/// Durability: a confirmation and the founding are saved before anybody hears of them.
class founding {
public:
  using out = outbox<wire::Hello, founded, not_founded>;
  using handles = messages<wire::Hello>;
  static constexpr port place = port::founding;

  explicit founding(founding_setup setup);

  /// What this role has saved: phase and list; BLANK where it has saved nothing, and nothing where it cannot
  /// be read.
  [[nodiscard]] static std::optional<wire::Hello> saved_in(const journal_view& saved);

  void recover(const journal_view& saved);
  void start(out& o);
  void on(node_id from, const wire::Hello& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  void say_hello(std::span<const node_id> to, out& o);
  void confirm_when_complete(out& o);
  void found_when_agreed(out& o);
  void found(const wire::Founding& list, out& o);
  void save(out& o);
  void announce(out& o);
  void mind_addresses(out& o);
  [[nodiscard]] bool stands_by(node_id node, const wire::Founding& list, out& o);
  void tell_why(node_id because_of, const std::string& reason, severity level, out& o);
  void hear_of_founded(const std::string& who, const wire::Founding& list, out& o);
  void answer(node_id node, const wire::Hello& msg, out& o);
  /// Our number for a node of that name; nothing for ourselves and for whom we do not know.
  [[nodiscard]] std::optional<node_id> number_of(const std::string& name) const;
  [[nodiscard]] std::vector<node_id> others() const;
  [[nodiscard]] std::string name_of_node(node_id id) const;

  founding_setup setup_;
  wire::Hello::Phase phase_ = wire::Hello::BLANK;
  wire::Founding list_;  ///< confirmed or founded
  std::map<std::string, std::string> addresses_;  ///< of the last start
  std::map<node_id, disk_id> disks_;
  std::map<node_id, std::string> confirmed_;  ///< the lists that others stand by, serialized
  std::map<node_id, disk_id> strangers_;      ///< disks that are no member's and have been warned of
  std::map<node_id, std::string> told_;       ///< why there is no cluster yet, by who gave the reason
};

/// The first difference between two specs that nodes of one cluster must agree on, as a sentence; empty where
/// there is none.
[[nodiscard]] std::string founding_difference(const wire::Founding& ours, const wire::Founding& theirs);

/// Stamped on messages before the cluster is founded.
[[nodiscard]] std::uint64_t cluster_hash(std::string_view name);

}  // namespace quorate
