#include "tests/harness/surroundings.hpp"

namespace quorate::testing {

counters& counters::operator+=(const counters& other) {
  sent += other.sent;
  bytes += other.bytes;
  lost += other.lost;
  doubled += other.doubled;
  refused += other.refused;
  unclaimed += other.unclaimed;
  writes += other.writes;
  syncs += other.syncs;
  starts += other.starts;
  snapshots += other.snapshots;
  applied += other.applied;
  operations += other.operations;
  acknowledged += other.acknowledged;
  searches += other.searches;
  gave_up += other.gave_up;
  return *this;
}

std::string text(const counters& c) {
  return "sent " + std::to_string(c.sent) + ", lost " + std::to_string(c.lost) + ", doubled " +
         std::to_string(c.doubled) + ", refused " + std::to_string(c.refused) + ", unclaimed " +
         std::to_string(c.unclaimed) + ", writes " + std::to_string(c.writes) + ", syncs " +
         std::to_string(c.syncs) + ", starts " + std::to_string(c.starts) + ", snapshots " +
         std::to_string(c.snapshots) + ", applied " + std::to_string(c.applied) + ", operations " +
         std::to_string(c.operations) + ", acknowledged " + std::to_string(c.acknowledged) +
         ", searches " + std::to_string(c.searches) + ", given up " + std::to_string(c.gave_up);
}

}  // namespace quorate::testing
