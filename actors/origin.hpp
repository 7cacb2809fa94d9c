// Who sent a message, and whether it counts.
#pragma once

#include "actors/ids.hpp"

#include <map>
#include <vector>

namespace quorate {

/// Travels with every message between roles.
struct origin {
  std::uint64_t cluster = 0;  ///< hash of the cluster's name and, once founded, of its founding
  group_id group;
  epoch_id epoch;
  node_id node;
  disk_id disk;
  boot_id boot;
  friend bool operator==(const origin&, const origin&) = default;
};

template <class Inspector>
bool inspect(Inspector& f, origin& x) {
  return f.object(x).fields(f.field("cluster", x.cluster), f.field("group", x.group),
                            f.field("epoch", x.epoch), f.field("node", x.node), f.field("disk", x.disk),
                            f.field("boot", x.boot));
}

/// A member of an epoch.
struct member {
  node_id id;
  std::string name;
  disk_id disk;
  friend bool operator==(const member&, const member&) = default;
};

/// Decides whether a message counts for a role. Invariant: once a boot of a node was heard, no message of an
/// earlier boot of that node passes.
class origin_filter {
public:
  enum class verdict : std::uint8_t {
    pass,
    stranger,    ///< another cluster, group or epoch, or no member
    other_disk,  ///< the right node on a disk that is not a member
    old_boot,    ///< from a process that is no more
  };

  /// With no `members`, any node passes (before founding).
  origin_filter(const origin& self, const std::vector<member>& members) : self_(self) {
    for (const auto& m : members)
      disks_.emplace(m.id, m.disk);
  }

  [[nodiscard]] verdict check(const origin& from) {
    // Roles of one process trust one another, also across the moment when the cluster is founded.
    if (from.node == self_.node && from.disk == self_.disk && from.boot == self_.boot)
      return from.group == self_.group && from.epoch == self_.epoch ? verdict::pass : verdict::stranger;
    if (from.cluster != self_.cluster || from.group != self_.group || from.epoch != self_.epoch)
      return verdict::stranger;
    if (!disks_.empty()) {
      const auto known = disks_.find(from.node);
      if (known == disks_.end())
        return verdict::stranger;
      if (known->second != from.disk)
        return verdict::other_disk;
    }
    // By disk too: a wiped disk counts its boots from the beginning.
    auto& boot = boots_[{from.node, from.disk}];
    if (from.boot < boot)
      return verdict::old_boot;
    boot = from.boot;
    return verdict::pass;
  }

private:
  origin self_;
  std::map<node_id, disk_id> disks_;
  std::map<std::pair<node_id, disk_id>, boot_id> boots_;
};

}  // namespace quorate
