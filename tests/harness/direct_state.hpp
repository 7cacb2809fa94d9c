// Drives a state machine on a store without a replica.
#pragma once

#include "actors/state_machine.hpp"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quorate {

/// A machine_state over a store: reads see the batch's own writes, `commit` makes them the store's.
class direct_state : public machine_state {
public:
  explicit direct_state(store& target) : target_(target) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override {
    const auto own = own_.find(key);
    return own == own_.end() ? target_.get(key) : own->second;
  }
  void put(std::string key, std::string value) override {
    own_[key] = value;
    changes_.put(std::move(key), std::move(value));
  }
  void erase(std::string key) override {
    own_[key] = std::nullopt;
    changes_.erase(std::move(key));
  }

  [[nodiscard]] status commit(log_index index) {
    own_.clear();
    auto result = target_.write(changes_, index);
    changes_.clear();
    return result;
  }

private:
  store& target_;
  store_batch changes_;
  std::map<std::string, std::optional<std::string>, std::less<>> own_;
};

/// A command of a batch by its key and body.
struct direct_command {
  std::string key;
  std::string body;
};

/// Applies one batch to the store, as a replica would. Returns the machine's answers.
inline std::vector<machine_answer> apply_directly(state_machine& machine, store& target, log_index index,
                                                  std::span<const direct_command> commands) {
  std::vector<command_view> views;
  views.reserve(commands.size());
  for (const auto& c : commands) {
    command_view view;
    view.key = c.key;
    view.body = c.body;
    views.push_back(view);
  }
  direct_state state{target};
  std::vector<machine_answer> answers;
  machine.apply(index, views, state, answers);
  if (auto failed = state.commit(index))
    answers.assign(commands.size(), {failed->code, failed->message});
  return answers;
}

}  // namespace quorate
