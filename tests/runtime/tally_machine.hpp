// A small state machine for tests: it counts what it executes.
#pragma once

#include "actors/state_machine.hpp"

namespace quorate::testing {

/// Counts the commands per key; answers "key=count". A body of "bad" is refused, "drop" erases the count.
class tally : public state_machine {
public:
  [[nodiscard]] std::string_view name() const override { return "tally"; }

  void apply(log_index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    for (const auto& c : commands) {
      if (c.body == "bad") {
        answers.push_back({errc::invalid_command, "no"});
      } else if (c.body == "drop") {
        state.erase(std::string{c.key});
        answers.push_back({errc::ok, std::string{c.key} + " dropped"});
      } else {
        const auto before = state.get(c.key);
        const auto count = std::to_string((before ? std::stoul(*before) : 0) + 1);
        state.put(std::string{c.key}, count);
        answers.push_back({errc::ok, std::string{c.key} + "=" + count});
      }
    }
  }

  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override {
    const auto found = view.get(request);
    return found ? machine_answer{errc::ok, *found} : machine_answer{errc::invalid_command, "nothing"};
  }
};

[[nodiscard]] inline command open_command(std::uint64_t nonce) {
  command c;
  c.kind = command_kind::open_session;
  c.id = {session_id{0}, sequence{nonce}};
  return c;
}

[[nodiscard]] inline command count_command(session_id session, std::uint64_t number, std::string key,
                                           std::uint64_t done_below = 0, std::string body = "+") {
  return {{session, sequence{number}},
          done_below,
          command_kind::machine,
          std::move(key),
          payload{std::move(body)}};
}

}  // namespace quorate::testing
