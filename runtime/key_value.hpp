// The built-in key-value state machine.
#pragma once

#include "actors/state_machine.hpp"

namespace quorate {

/// A map from keys to values. A command works on its own routing key; its body is made by the functions
/// below, its answer read by `changed`. In the store: each key under "k".
class key_value : public state_machine {
public:
  /// Body of a command that sets the key.
  [[nodiscard]] static std::string put(std::string_view value);
  /// Body of a command that removes the key.
  [[nodiscard]] static std::string erase();
  /// Body of a command that sets the key to `desired`, or removes it where that is nothing, if it now has the
  /// value `expected`, or does not exist where that is nothing.
  [[nodiscard]] static std::string compare_and_set(std::optional<std::string_view> expected,
                                                   std::optional<std::string_view> desired);
  /// Whether the command changed the map: always for put, for erase if the key existed. Nothing where the
  /// bytes are no answer to a command.
  [[nodiscard]] static std::optional<bool> changed(std::string_view answer);

  /// The query for a key's value.
  [[nodiscard]] static std::string get(std::string_view key);
  /// What a query found.
  struct found {
    std::optional<std::string_view> value;  ///< points into the answer
  };
  /// Nothing where the bytes are no answer to a query.
  [[nodiscard]] static std::optional<found> value_in(std::string_view answer);

  [[nodiscard]] std::string_view name() const override { return "key_value"; }
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override;
  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override;
};

}  // namespace quorate
