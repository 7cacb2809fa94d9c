// The clients of one node's gateway.
#pragma once

#include "tests/harness/surroundings.hpp"
#include "tests/harness/workload.hpp"

#include <map>

namespace quorate::testing {

/// Asks one node, waits for answers, and writes down what it saw. Outlives the node's crashes: what was open
/// then has no answer.
class client {
public:
  /// `ask` hands a message to the node's edge; false where nothing listens. `stood_still`: for how long the
  /// node has been frozen in all.
  client(node_id at, surroundings& around, history& operations, workload& work,
         std::function<bool(const box&)> ask, std::function<duration()> stood_still, std::uint64_t seed);

  /// Asks now and then, until its plan's operations are used up or `stop`.
  void begin();
  void stop() { running_ = false; }
  /// Whether this operation asks to wait where no majority is in sight. Not drawn, so that seeds keep what they stood for.
  [[nodiscard]] static bool waits_without_majority(std::uint64_t number) { return number % 3 == 2; }
  /// Asks for this many small writes in one message, beyond its plan.
  void flood(std::uint64_t count);
  void on(const client_replies& message);
  /// The node died.
  void disconnected();

  /// One command, or the last read, that must be answered ok in time. `operation::number` of it in
  /// `probes()`. \returns false where the node does not listen
  bool probe(duration timeout, bool read_all);
  [[nodiscard]] bool idle() const { return open_.empty(); }
  /// The last probe's number in the history.
  [[nodiscard]] std::uint64_t last_probe() const { return last_probe_; }

private:
  void turn();
  bool ask(std::vector<client_call> calls, duration timeout);
  [[nodiscard]] client_call draw_call(std::uint64_t number);
  /// A node that is frozen keeps no deadline, but it goes on where it was: so much longer is waited for it.
  /// `frozen_at_ask`: what it had stood still by then; `waited`: how much of it was granted already.
  void give_up(std::uint64_t number, duration frozen_at_ask, duration waited);

  node_id at_;
  surroundings& around_;
  history& operations_;
  workload& work_;
  std::function<bool(const box&)> ask_;
  std::function<duration()> stood_still_;
  prng prng_;
  bool running_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t last_probe_ = 0;
  std::set<std::uint64_t> open_;
  std::set<std::uint64_t> given_up_;
};

}  // namespace quorate::testing
