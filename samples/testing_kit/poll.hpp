// A state machine of our own: polls, each with a leader.
#pragma once

#include "actors/state_machine.hpp"

/// Counts votes. A command's key is the poll, its body the name that gets a vote; the answer is that name's
/// votes. A query "<poll>/<name>" answers the votes of a name. The leader of a poll is who was first to have
/// so many votes. In the store: "<poll>/<name>", the votes, and "<poll>", the leader.
class poll : public quorate::state_machine {
public:
  [[nodiscard]] std::string_view name() const override { return "poll"; }
  void apply(quorate::log_index index, std::span<const quorate::command_view> commands,
             quorate::machine_state& state, std::vector<quorate::machine_answer>& answers) override;
  [[nodiscard]] quorate::machine_answer query(std::string_view request,
                                              const quorate::store_view& view) const override;

protected:
  /// Returns the name's votes, this one included.
  static std::uint64_t count(const quorate::command_view& vote, quorate::machine_state& state);
};

/// The votes that a text says; 0 where there is none.
[[nodiscard]] std::uint64_t votes_in(const std::optional<std::string>& text);
