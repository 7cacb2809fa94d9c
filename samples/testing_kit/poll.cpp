#include "poll.hpp"

using namespace quorate;

std::uint64_t votes_in(const std::optional<std::string>& text) {
  return text ? std::stoull(*text) : 0;
}

std::uint64_t poll::count(const command_view& vote, machine_state& state) {
  const auto row = std::string{vote.key} + "/" + std::string{vote.body};
  const auto votes = votes_in(state.get(row)) + 1;
  state.put(row, std::to_string(votes));
  return votes;
}

void poll::apply(log_index, std::span<const command_view> commands, machine_state& state,
                 std::vector<machine_answer>& answers) {
  for (const auto& vote : commands) {
    const auto votes = count(vote, state);
    const auto leader = state.get(vote.key);
    if (!leader || votes > votes_in(state.get(std::string{vote.key} + "/" + *leader)))
      state.put(std::string{vote.key}, std::string{vote.body});
    answers.push_back({errc::ok, std::to_string(votes)});
  }
}

machine_answer poll::query(std::string_view request, const store_view& view) const {
  return {errc::ok, std::to_string(votes_in(view.get(request)))};
}
