#include "tests/harness/checks.hpp"

namespace quorate::testing {

namespace {

class proposals : public check {
public:
  proposals(verdict& result, const ledger& ordered) : check(result), ordered_(ordered) {}
  [[nodiscard]] std::string_view name() const override { return "proposal"; }

  void started(const place& p) override {
    // What its last start was asked for is forgotten with it.
    if (p.role == port::proposer)
      open_.erase(p.node);
  }
  void wiped(node_id node, disk_id) override { open_.erase(node); }

  void taken(const place& by, node_id, const box& message) override {
    const auto* m = message.get<propose>();
    if (m == nullptr || by.role != port::proposer)
      return;
    for (const auto& c : m->commands)
      open_[by.node].emplace(c.id, c.kind);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* m = message.get<not_ordered>()) {
      for (const auto& id : m->ids)
        open_[from.node].erase(id);
    } else if (message.get<delivered>() != nullptr) {
      for (; seen_ < ordered_.list().size(); ++seen_)
        for (const auto& c : ordered_.list()[seen_].commands)
          for (auto& [node, commands] : open_)
            commands.erase(c.what.id);
    }
  }

  void ended(const run_outcome&) override {
    for (const auto& [node, commands] : open_)
      if (!commands.empty())
        fail(quorate::text(node) + " was asked for " + std::to_string(commands.size()) + " commands, " +
             quorate::text(commands.begin()->first) + " the first of them, that were never ordered");
  }

private:
  const ledger& ordered_;
  std::uint64_t seen_ = 0;
  std::map<node_id, std::map<command_id, command_kind>> open_;
};

}  // namespace

std::unique_ptr<check> proposal_check(verdict& result, const ledger& ordered) {
  return std::make_unique<proposals>(result, ordered);
}

}  // namespace quorate::testing
