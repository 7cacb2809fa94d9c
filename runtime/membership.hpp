// Heartbeats, and who seems to be alive.
#pragma once

#include "actors/messages.pb.h"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"
#include "balancers/messages.hpp"
#include "runtime/timings.hpp"

#include <deque>
#include <map>

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
  };
  std::map<node_id, peer> peers;
  bool majority = false;  ///< this node and the reachable ones are enough to decide
};
QUORATE_LOCAL_MESSAGE(connectivity, node)

/// replica -> membership: how many commands wait here.
struct replica_load {
  static constexpr std::string_view name = "replica_load";
  std::uint64_t waiting = 0;
};
QUORATE_LOCAL_MESSAGE(replica_load, membership)

struct membership_setup {
  std::vector<member> members;
  node_id self;
  duration heartbeat_every{};
  duration suspect_after{};  ///< silence that is too long whatever the intervals were
  std::uint64_t waiting_max =
      4'096;  ///< commands that may wait here; from there on this node calls itself full
};

/// Sends heartbeats to the other members and tells node and balancer whom it hears. A belief, never a fact:
/// nothing that has to be safe depends on it.
class membership {
public:
  using out = outbox<wire::Heartbeat, connectivity, nodes_seen>;
  using handles = messages<wire::Heartbeat, replica_load>;
  static constexpr port place = port::membership;

  explicit membership(membership_setup setup);

  void start(out& o);
  void on(node_id from, const wire::Heartbeat& msg, out& o);
  void on(node_id from, const replica_load& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  void tell(out& o);

  membership_setup setup_;
  std::map<node_id, silence_meter> meters_;
  std::map<node_id, bool> reachable_;
  std::map<node_id, std::uint32_t> fill_percent_;
  std::uint64_t number_ = 0;
};

}  // namespace quorate
