// Durable before visible: holds a role's sends back until its earlier saves are on disk.
#pragma once

#include "actors/journal.hpp"
#include "actors/outbox.hpp"

#include <deque>

namespace quorate {

/// What runs a role's effects outside of the role: the CAF shell or the simulator.
class effect_driver {
public:
  virtual ~effect_driver() = default;
  /// Hand these to the journal, in order. With `sync`, call `gate::durable(ticket)` once they are durable.
  virtual void write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) = 0;
  virtual void send(send_effect&& effect) = 0;
  virtual void set_timer(const timer_effect& effect) = 0;
  virtual void cancel_timer(const cancel_effect& effect) = 0;
  virtual void read(read_effect&& effect) = 0;
  virtual void note(note_effect&& effect) = 0;
};

/// Runs a role's effects in order.
/// Invariant: a held-back send leaves only after every save that the role asked for before it is durable, and
/// after every send of the role before it (`send_now` excepted).
class gate {
public:
  explicit gate(const journal_space& space) : prefix_(space.prefix()) {}

  /// Runs everything in `out` and empties it. All saves of one call make one atomic write.
  void run(effects& out, effect_driver& driver);
  /// The write with this ticket, and all before it, are durable.
  void durable(std::uint64_t ticket, effect_driver& driver);
  /// Sends that wait.
  [[nodiscard]] std::size_t held() const { return held_.size(); }

private:
  struct waiting {
    std::uint64_t ticket;
    send_effect effect;
  };

  std::string prefix_;
  std::uint64_t asked_ = 0;    ///< the newest synced write that was asked for
  std::uint64_t durable_ = 0;  ///< the newest one that is done
  std::deque<waiting> held_;
};

}  // namespace quorate
