#include "balancers/messages.hpp"
#include "tests/harness/checks.hpp"
#include "tests/harness/transcript.hpp"

#include <set>

namespace quorate::testing {

namespace {

bool same(const batch& a, const batch& b) {
  const auto x = a.body.view();
  const auto y = b.body.view();
  // Most often it is the very same buffer.
  return a.id == b.id && x.size() == y.size() && (x.data() == y.data() || x == y);
}

class deliveries : public check {
public:
  deliveries(verdict& result, const ledger& ordered) : check(result), ordered_(ordered) {}
  [[nodiscard]] std::string_view name() const override { return "delivery"; }

  void invoked(const operation& op) override {
    if (op.kind == request_kind::write)
      asked_.insert(digest_of(op.argument));
  }

  void started(const place& p) override {
    if (p.role == port::learner)
      last_.erase(p.node);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (message.get<fast_forward>() != nullptr)
      forwarded_.insert(from.node);
    else if (const auto* m = message.get<delivered>())
      judge(from, *m);
    else if (const auto* given = message.get<handover>())
      for (const auto& c : given->commands)
        copied_.insert(c.id);
  }

  void taken(const place& by, node_id from, const box& message) override {
    // The contract gives it this name in every protocol.
    if (message.type().name == "Forgotten")
      forwarded_.insert(by.node);
    // Commands that another member is to order, and who cannot say that it has: both may order them.
    if (message.type().name == "HandOff")
      forwarded_.insert({by.node, from});
  }

private:
  struct position {
    log_index index;
    std::uint64_t generation;
  };

  void judge(const place& from, const delivered& m) {
    const auto where = " at " + std::to_string(m.at.value);
    if (m.value.is_noop())
      fail(text(from) + " delivers a no-op" + where);
    const auto index = ordered_.find(m.at);
    if (!index) {
      fail(text(from) + " delivers " + text(m.value.id) + where + ", where others had nothing to deliver");
      return;
    }
    const auto& entry = ordered_.list()[index->value];
    if (!same(entry.value, m.value))
      fail(text(from) + " delivers " + text(m.value.id) + where + ", others " + text(entry.value.id));
    for (; judged_ <= index->value; ++judged_)
      judge_first(ordered_.list()[judged_], judged_);
    const auto last = last_.find(from.node);
    if (last != last_.end() && last->second.generation == m.generation && *index != last->second.index.next())
      fail(text(from) + " delivers index " + std::to_string(index->value) + " after " +
           std::to_string(last->second.index.value));
    last_[from.node] = {*index, m.generation};
  }

  void judge_first(const ledger::entry& e, std::uint64_t index) {
    const auto who = text(e.by) + " delivers ";
    if (e.commands.empty())
      fail(who + "bytes that are no batch at " + std::to_string(e.at.value));
    for (const auto& c : e.commands) {
      if (c.what.kind != command_kind::machine)
        continue;
      if (!asked_.contains(c.sum))
        fail(who + "command " + text(c.what.id) + ", which nobody asked for");
      // A proposer that was fast-forwarded, or hears that something is forgotten, cannot know whether it
      // stands in what it has skipped; and a command that has left its node may be proposed by each that gets
      // it.
      const auto [place, fresh] = places_.emplace(c.what.id, index);
      if (!fresh && !forwarded_.contains(e.value.id.node) && !copied_.contains(c.what.id))
        fail(who + "command " + text(c.what.id) + " again at index " + std::to_string(index) +
             ", it stands at " + std::to_string(place->second));
    }
  }

  const ledger& ordered_;
  std::set<std::uint64_t> asked_;
  std::uint64_t judged_ = 0;  ///< entries that were looked at when they were new
  std::map<command_id, std::uint64_t> places_;
  std::map<node_id, position> last_;
  std::set<command_id> copied_;  ///< commands that a balancer has handed to another node
  std::set<node_id> forwarded_;  ///< nodes that may have to propose something again
};

}  // namespace

std::unique_ptr<check> delivery_check(verdict& result, const ledger& ordered) {
  return std::make_unique<deliveries>(result, ordered);
}

}  // namespace quorate::testing
