// Heartbeats, and who seems to be alive.
#pragma once

#include "actors/messages.pb.h"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"
#include "balancers/messages.hpp"
#include "runtime/admission.hpp"
#include "runtime/timings.hpp"

#include <deque>
#include <map>
#include <optional>

namespace quorate {

template <>
inline constexpr port destination_of<wire::Heartbeat> = port::membership;

/// How much a silence surprises, from the intervals between heartbeats so far.
/// Source: N. Hayashibara et al., "The phi Accrual Failure Detector" (2004), section 4, with the logistic
/// approximation of the normal distribution.
class silence_meter {
public:
  explicit silence_meter(duration expected) : expected_(expected) {}
  void heard(time_point now);
  /// 0: as expected; 1: one silence in ten is as long as this one; 8: one in a hundred million.
  [[nodiscard]] double phi(time_point now) const;
  [[nodiscard]] duration silence(time_point now) const { return heard_ ? now - last_ : now - first_; }
  void begin(time_point now) { first_ = now; }
  [[nodiscard]] bool ever_heard() const { return heard_; }

private:
  duration expected_;
  std::deque<double> intervals_;  // seconds, the newest last
  time_point first_{};
  time_point last_{};
  bool heard_ = false;
};

/// membership -> node: what this node believes of the others.
struct connectivity {
  static constexpr std::string_view name = "connectivity";
  struct peer {
    bool reachable = false;
    double phi = 0;
    duration silence{};
    disk_level disk = disk_level::roomy;  ///< as it last said
  };
  std::map<node_id, peer> peers;
  bool majority = false;   ///< this node and the reachable ones are enough to decide
  bool takes_writes = true;  ///< where there is a majority: enough of it has room on its disks
  disk_level disk = disk_level::roomy;  ///< this node's own
};
QUORATE_LOCAL_MESSAGE(connectivity, node)

/// replica -> membership: how many commands wait here.
struct replica_load {
  static constexpr std::string_view name = "replica_load";
  std::uint64_t waiting = 0;
  bool quarantined = false;  ///< takes none at all
};
QUORATE_LOCAL_MESSAGE(replica_load, membership)

/// whoever watches the disks -> membership: how much room there is on this node's.
struct disk_room {
  static constexpr std::string_view name = "disk_room";
  disk_level level = disk_level::roomy;
};
QUORATE_LOCAL_MESSAGE(disk_room, membership)

struct membership_setup {
  std::vector<member> members;
  node_id self;
  duration heartbeat_every{};
  duration suspect_after{};  ///< silence that is too long whatever the intervals were
  std::uint64_t waiting_max =
      4'096;  ///< commands that may wait here; from there on this node calls itself full
};

/// Sends heartbeats to the other members, tells node and balancer whom it hears, and the edge what need not be tried. A
/// belief, never a fact: nothing that has to be safe depends on it.
class membership {
public:
  using out = outbox<wire::Heartbeat, connectivity, nodes_seen, admission>;
  using handles = messages<wire::Heartbeat, replica_load, disk_room>;
  static constexpr port place = port::membership;

  explicit membership(membership_setup setup);

  void start(out& o);
  void on(node_id from, const wire::Heartbeat& msg, out& o);
  void on(node_id from, const replica_load& msg, out& o);
  void on(node_id from, const disk_room& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  /// What a member has last said of itself.
  struct claims {
    std::uint32_t fill_percent = 0;
    bool hears_majority = false;
    disk_level disk = disk_level::roomy;
  };

  void look(out& o);
  void tell(out& o);
  void admit(out& o);
  [[nodiscard]] bool in_sight(node_id peer) const;
  [[nodiscard]] bool room_for(disk_level refused_from, time_point now) const;
  [[nodiscard]] bool majority_is_lost(time_point now);
  [[nodiscard]] std::string names_of_full() const;

  membership_setup setup_;
  std::map<node_id, silence_meter> meters_;
  std::map<node_id, bool> reachable_;
  std::map<node_id, claims> claims_;  ///< this node's own too
  bool majority_ = false;             ///< as of the last look
  std::optional<time_point> none_since_;  ///< nobody in sight has heard a majority since
  std::uint64_t none_ticks_ = 0;          ///< heartbeats of ours since then
  admission told_;                        ///< the edge
  std::uint64_t number_ = 0;
};

}  // namespace quorate
