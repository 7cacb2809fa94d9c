// What users write: a deterministic state machine on an ordered store.
#pragma once

#include "actors/command.hpp"
#include "actors/store.hpp"

#include <span>

namespace quorate {

/// A state machine's own part of the store while a batch is applied: reads see the batch's own writes.
class machine_state {
public:
  virtual ~machine_state() = default;
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view key) const = 0;
  virtual void put(std::string key, std::string value) = 0;
  virtual void erase(std::string key) = 0;
};

/// The answer to one command.
struct machine_answer {
  errc code = errc::ok;
  std::string body;  ///< at most limits::outcome_bytes_max
};

/// Replicated by applying the same commands in the same order everywhere.
/// Invariant: `apply` depends on nothing but its arguments: no clock, no randomness, no unordered iteration,
/// no member variables that outlive a call (a restart would lose them).
class state_machine {
public:
  virtual ~state_machine() = default;

  /// The name in a cluster spec.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Executes the commands of one batch. \post `answers` has one entry per command, in order.
  virtual void apply(log_index index, std::span<const command_view> commands, machine_state& state,
                     std::vector<machine_answer>& answers) = 0;

  /// Answers a query from a frozen view. Called from any thread, also at the same time as `apply`.
  [[nodiscard]] virtual machine_answer query(std::string_view request, const store_view& view) const = 0;
};

/// Makes a fresh instance for one replica.
using machine_factory = std::function<std::unique_ptr<state_machine>()>;

}  // namespace quorate
