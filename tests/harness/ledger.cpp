#include "tests/harness/ledger.hpp"

#include "tests/harness/transcript.hpp"

#include <algorithm>

namespace quorate::testing {

void ledger::sent(const place& from, const std::vector<node_id>&, const box& message) {
  const auto* m = message.get<delivered>();
  // A batch that comes late, where nobody had one, is not taken in: there is a check that says so.
  if (m == nullptr || (!list_.empty() && m->at <= list_.back().at))
    return;
  entry e{m->at, m->value, {}, from};
  const log_index index{list_.size()};
  if (const auto commands = decode_commands(e.value.body.view()))
    for (const auto& c : *commands) {
      e.commands.push_back({digest_of(c.body), c});
      if (c.kind == command_kind::machine)
        places_.emplace(e.commands.back().sum, index);
    }
  list_.push_back(std::move(e));
}

std::optional<log_index> ledger::find(cursor at) const {
  const auto behind = upto(at);
  if (behind == log_index{0} || list_[behind.value - 1].at != at)
    return std::nullopt;
  return log_index{behind.value - 1};
}

log_index ledger::upto(cursor at) const {
  if (!list_.empty() && list_.back().at <= at)
    return log_index{list_.size()};
  const auto end = std::upper_bound(list_.begin(), list_.end(), at,
                                    [](cursor value, const entry& e) { return value < e.at; });
  return log_index{static_cast<std::uint64_t>(end - list_.begin())};
}

std::optional<log_index> ledger::place_of(std::string_view body) const {
  const auto found = places_.find(digest_of(body));
  return found == places_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace quorate::testing
