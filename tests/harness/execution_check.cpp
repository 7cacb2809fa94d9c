#include "actors/limits.hpp"
#include "tests/harness/checks.hpp"
#include "tests/harness/transcript.hpp"

#include <set>

namespace quorate::testing {

namespace {

/// The sessions as their specification has them: which commands of a batch are to be executed.
class session_model {
public:
  explicit session_model(const session_limits& limits) : limits_(limits) {}

  [[nodiscard]] std::vector<const ledger::line*> execute(std::uint64_t index, const ledger::entry& e) {
    std::vector<const ledger::line*> out;
    for (std::size_t i = 0; i < e.commands.size(); ++i) {
      const auto& c = e.commands[i].what;
      if (c.kind == command_kind::open_session) {
        open_[session_id{(index + 1) * limits::batch_commands_max + i}].used = index;
        close_one_too_many();
        continue;
      }
      const auto found = open_.find(c.id.session);
      if (found == open_.end())
        continue;
      auto& s = found->second;
      const auto number = c.id.number.value;
      s.used = index;
      s.low = std::max(s.low, c.done_below);
      if (number >= limits_.window)
        s.low = std::max(s.low, number - limits_.window + 1);
      if (number >= s.low && s.executed.insert(number).second)
        out.push_back(&e.commands[i]);
    }
    return out;
  }

private:
  struct session {
    std::uint64_t low = 0;
    std::uint64_t used = 0;
    std::set<std::uint64_t> executed;
  };

  void close_one_too_many() {
    if (open_.size() <= limits_.open_max)
      return;
    auto oldest = open_.begin();
    for (auto i = open_.begin(); i != open_.end(); ++i)
      if (i->second.used < oldest->second.used)
        oldest = i;
    open_.erase(oldest);
  }

  session_limits limits_;
  std::map<session_id, session> open_;
};

class executions : public check {
public:
  executions(verdict& result, const ledger& ordered, const session_limits& limits)
      : check(result), ordered_(ordered), model_(limits) {}
  [[nodiscard]] std::string_view name() const override { return "execution"; }

  void executed(node_id node, log_index index, std::span<const command_view> commands) override {
    auto& now = running_[node];
    for (const auto& c : commands)
      now.commands.emplace_back(c.id, digest_of(c.body));
    now.index = index;
  }

  void stored(const place& p, log_index index, std::optional<std::uint64_t> changes) override {
    const auto done = std::exchange(running_[p.node], {});
    stands_[p.node] = index;
    if (!changes || index == log_index{0})
      return;
    const auto at = index.value - 1;
    const auto where = " at index " + std::to_string(at);
    if (!know(at)) {
      fail(text(p) + " applies a batch" + where + ", where nothing was delivered yet");
      return;
    }
    if (!done.commands.empty() && done.index.value != at)
      fail(text(p) + " tells its machine of index " + std::to_string(done.index.value) + where);
    if (done.commands != expected_[at])
      fail(text(p) + " executes " + list(done.commands) + where + " instead of " + list(expected_[at]));
  }

  void crashed(node_id node) override { running_.erase(node); }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    const auto* m = message.get<outcomes>();
    if (m == nullptr || from.role != port::replica)
      return;
    for (const auto& result : m->list)
      if (result.code == errc::ok && result.id.session != session_id{0})
        answered(from, result);
  }

private:
  using names = std::vector<std::pair<command_id, std::uint64_t>>;
  struct batch_at {
    log_index index;
    names commands;
  };

  /// Runs the model up to this index; false where the ledger does not reach so far.
  bool know(std::uint64_t index) {
    if (index >= ordered_.list().size())
      return false;
    while (expected_.size() <= index) {
      const auto at = expected_.size();
      auto& list = expected_.emplace_back();
      for (const auto* line : model_.execute(at, ordered_.list()[at])) {
        list.emplace_back(line->what.id, line->sum);
        places_.emplace(line->what.id, log_index{at});
      }
    }
    return true;
  }

  void answered(const place& from, const outcome& result) {
    const auto place = places_.find(result.id);
    const auto stands = stands_.find(from.node);
    if (place == places_.end() || stands == stands_.end() || place->second >= stands->second)
      fail(text(from) + " answers " + text(result.id) + ", which it has not executed");
    const auto [known, fresh] = answers_.emplace(result.id, digest_of(result.body.view()));
    if (!fresh && known->second != digest_of(result.body.view()))
      fail(text(from) + " answers " + text(result.id) + " in another way than before");
  }

  static std::string list(const names& commands) {
    std::string out;
    for (const auto& [id, sum] : commands)
      out += (out.empty() ? "" : ", ") + quorate::text(id);
    return out.empty() ? "nothing" : out;
  }

  const ledger& ordered_;
  session_model model_;
  std::vector<names> expected_;  ///< by index
  std::map<command_id, log_index> places_;
  std::map<command_id, std::uint64_t> answers_;
  std::map<node_id, batch_at> running_;
  std::map<node_id, log_index> stands_;
};

}  // namespace

std::unique_ptr<check> execution_check(verdict& result, const ledger& ordered, const session_limits& limits) {
  return std::make_unique<executions>(result, ordered, limits);
}

}  // namespace quorate::testing
