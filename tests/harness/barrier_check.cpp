#include "tests/harness/checks.hpp"

#include <tuple>

namespace quorate::testing {

namespace {

class barriers : public check {
public:
  barriers(verdict& result, const ledger& ordered) : check(result), ordered_(ordered) {}
  [[nodiscard]] std::string_view name() const override { return "barrier"; }

  void returned(const operation& op) override {
    if (op.kind != request_kind::write || op.code != errc::ok)
      return;
    if (const auto index = ordered_.place_of(op.argument))
      acknowledged_ = std::max(acknowledged_, index->next());
  }

  void durable(node_id node, log_index index) override { durable_[node] = index; }
  // From its disk.
  void started(const place& p) override {
    if (p.role == port::learner)
      reached_[p.node] = durable_[p.node];
  }

  void taken(const place& by, node_id, const box& message) override {
    if (const auto* m = message.get<fast_forward>())
      reached_[by.node] = ordered_.upto(m->at);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* d = message.get<delivered>()) {
      reached_[from.node] = ordered_.upto(d->at);
    } else if (const auto* b = message.get<barrier>()) {
      // One that is asked for again need not be behind more than it was at first.
      barriers_.emplace(key{from.node, from.boot, b->id}, acknowledged_);
    } else if (const auto* r = message.get<reached>()) {
      const auto asked = barriers_.find({from.node, from.boot, r->id});
      if (asked == barriers_.end())
        fail(text(from) + " reaches a barrier that nobody has asked for");
      else if (reached_[from.node] < asked->second)
        fail(text(from) + " reaches a barrier at index " + std::to_string(reached_[from.node].value) +
             ", but " + std::to_string(asked->second.value) + " batches were acknowledged before");
    } else if (const auto* q = message.get<queries>()) {
      for (const auto& one : q->list)
        if (one.linearizable)
          reads_.emplace(key{from.node, from.boot, one.id}, acknowledged_);
    } else if (const auto* j = message.get<read_job>()) {
      for (const auto& one : j->list)
        if (const auto asked = reads_.find({from.node, from.boot, one.id});
            asked != reads_.end() && j->at < asked->second)
          fail(text(from) + " reads at index " + std::to_string(j->at.value) + ", but " +
               std::to_string(asked->second.value) + " batches were acknowledged before");
    }
  }

private:
  using key = std::tuple<node_id, boot_id, token>;

  const ledger& ordered_;
  log_index acknowledged_;  ///< batches up to the last one with a command that a client knows to be done
  std::map<node_id, log_index> durable_;
  std::map<node_id, log_index> reached_;  ///< batches that the learner has delivered or was told to skip
  std::map<key, log_index> barriers_;     ///< what was acknowledged when they were asked for
  std::map<key, log_index> reads_;
};

}  // namespace

std::unique_ptr<check> barrier_check(verdict& result, const ledger& ordered) {
  return std::make_unique<barriers>(result, ordered);
}

}  // namespace quorate::testing
