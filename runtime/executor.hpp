// Applies batches to a state machine, once each, in order.
#pragma once

#include "actors/command.hpp"
#include "actors/state_machine.hpp"
#include "runtime/sessions.hpp"

#include <memory>

namespace quorate {

/// Where a replica stands.
struct applied_point {
  log_index next;                ///< batches applied so far
  epoch_id epoch;                ///< of the last one
  cursor at;                     ///< of the last one
  std::uint64_t state_hash = 0;  ///< over every write so far, the same on all replicas
};

[[nodiscard]] std::string encode(const applied_point& point);
[[nodiscard]] std::optional<applied_point> decode_applied_point(std::string_view bytes);

/// A state machine with its sessions on a store.
/// Invariant: machine, sessions and applied point change in one atomic write per batch, so the store stands
/// at a batch boundary after any crash.
class executor {
public:
  executor(state_machine& machine, store& state, const session_limits& clients = {})
      : machine_(machine), store_(state), sessions_(clients) {}

  /// Reads where the store stands; also after a snapshot has replaced it.
  [[nodiscard]] status load();

  /// Applies the batch that has index `point().next`. Outcomes come in the order of the commands; a repeated
  /// command gets its first outcome again.
  [[nodiscard]] std::vector<outcome> apply(std::string_view body, epoch_id epoch, cursor at);

  [[nodiscard]] const applied_point& point() const { return point_; }
  [[nodiscard]] const sessions& open_sessions() const { return sessions_; }

private:
  state_machine& machine_;
  store& store_;
  sessions sessions_;
  applied_point point_;
};

}  // namespace quorate
