#include "balancers/messages.hpp"
#include "runtime/replica.hpp"
#include "tests/harness/checks.hpp"
#include "tests/harness/simulator.hpp"
#include "tests/harness/transcript.hpp"

#include <set>
#include <variant>

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
      begin_at(p.node, stands_[p.node]);
    else if (p.role == port::proposer)
      open_.erase(p.node);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* m = message.get<delivered>()) {
      judge(from, *m);
    } else if (const auto* given = message.get<handover>()) {
      for (const auto& c : given->commands)
        copied_.insert(c.id);
    } else if (const auto* back = message.get<not_ordered>()) {
      for (const auto& id : back->ids)
        open_[from.node].erase(id);
    } else if (const auto* figures = message.get<replica_figures>()) {
      stands_[from.node] = log_index{figures->next};
    }
  }

  void taken(const place& by, node_id from, const box& message) override {
    if (by.role == port::learner) {
      if (const auto* m = message.get<fast_forward>(); m != nullptr && from == by.node) {
        begin_at(by.node, m->at);
        doubt(by.node);
      }
      return;
    }
    if (by.role != port::proposer)
      return;
    if (const auto* m = message.get<propose>()) {
      for (const auto& c : m->commands)
        open_[by.node].insert(c.id);
    } else if (message.type().name == "Advanced" && from == by.node) {
      // In every protocol: the proposer hears a little later than its learner of where that goes on.
      doubt(by.node);
    } else {
      // Commands that another member is to order, and who cannot say that it has: both may order them.
      for (const auto& id : commands_handed_on(message))
        copied_.insert(id);
    }
  }

private:
  /// Where a learner begins to deliver: at an index, or behind a cursor.
  using beginning = std::variant<log_index, cursor>;

  void begin_at(node_id n, beginning where) {
    last_.erase(n);
    begins_.insert_or_assign(n, where);
  }
  /// What this node's proposer was asked for, and its learner has not delivered: whether it stands in what is
  /// skipped now nobody there can know.
  void doubt(node_id n) {
    const auto& list = open_[n];
    doubtful_.insert(list.begin(), list.end());
  }
  /// The index that the learner must deliver next; nothing before its replica has said where it stands.
  [[nodiscard]] std::optional<log_index> expected(node_id n) const {
    if (const auto last = last_.find(n); last != last_.end())
      return last->second.next();
    const auto begin = begins_.find(n);
    if (begin == begins_.end())
      return std::nullopt;
    const auto* index = std::get_if<log_index>(&begin->second);
    return index != nullptr ? *index : ordered_.upto(std::get<cursor>(begin->second));
  }

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
    if (const auto next = expected(from.node); next && *index != *next)
      fail(text(from) + " delivers index " + std::to_string(index->value) + ", and index " +
           std::to_string(next->value) + " was its next");
    last_[from.node] = *index;
    for (const auto& c : entry.commands)
      open_[from.node].erase(c.what.id);
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
      const auto [place, fresh] = places_.emplace(c.what.id, index);
      if (!fresh && !doubtful_.contains(c.what.id) && !copied_.contains(c.what.id))
        fail(who + "command " + text(c.what.id) + " again at index " + std::to_string(index) +
             ", it stands at " + std::to_string(place->second));
    }
  }

  const ledger& ordered_;
  std::set<std::uint64_t> asked_;
  std::uint64_t judged_ = 0;  ///< entries that were looked at when they were new
  std::map<command_id, std::uint64_t> places_;
  std::map<node_id, log_index> last_;      ///< delivered since the learner's start, or its last fast-forward
  std::map<node_id, beginning> begins_;    ///< where that was
  std::map<node_id, log_index> stands_;    ///< of replicas
  std::map<node_id, std::set<command_id>> open_;  ///< asked of proposers, and not delivered there
  std::set<command_id> copied_;    ///< were handed to another node, which may propose them too
  std::set<command_id> doubtful_;  ///< were open when a fast-forward passed them
};

}  // namespace

std::unique_ptr<check> delivery_check(verdict& result, const ledger& ordered) {
  return std::make_unique<deliveries>(result, ordered);
}

}  // namespace quorate::testing
