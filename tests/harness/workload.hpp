// What clients ask for, and how one sees that the answers are right: one class per state machine.
#pragma once

#include "actors/state_machine.hpp"
#include "tests/harness/check.hpp"

namespace quorate::testing {

/// What a client is to ask.
struct client_call {
  request_kind kind = request_kind::write;
  std::string key;
  std::string body;
};

/// The use of one state machine.
class workload {
public:
  virtual ~workload() = default;
  /// The state machine and its name.
  [[nodiscard]] virtual machine_factory make_machine() const = 0;
  [[nodiscard]] virtual std::string machine() const = 0;
  /// A command; `number` is a new one for every call, and makes the command unlike all others of the run.
  [[nodiscard]] virtual client_call write(prng& random, std::uint64_t number, std::uint64_t bytes_max) = 0;
  [[nodiscard]] virtual client_call read(prng& random) = 0;
  /// Asks for the whole state, or as much as the checks need to see at the end.
  [[nodiscard]] virtual client_call read_all() = 0;
  /// Judges the answers.
  [[nodiscard]] virtual std::unique_ptr<check> make_check(verdict& result) = 0;
};

/// Appends to the built-in `append_log`.
[[nodiscard]] std::unique_ptr<workload> append_workload();
/// Puts, erases and compares in the built-in `key_value`.
[[nodiscard]] std::unique_ptr<workload> key_value_workload();
/// The use of the built-in state machine of this name. \pre there is one
[[nodiscard]] inline std::unique_ptr<workload> workload_of(std::string_view machine) {
  return machine == "key_value" ? key_value_workload() : append_workload();
}

}  // namespace quorate::testing
