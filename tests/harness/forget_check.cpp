#include "protocols/quorum.hpp"
#include "tests/harness/checks.hpp"

namespace quorate::testing {

namespace {

class forgettings : public check {
public:
  forgettings(verdict& result, const ledger& ordered, std::size_t members)
      : check(result), ordered_(ordered), quorum_(members) {}
  [[nodiscard]] std::string_view name() const override { return "forget"; }

  void durable(node_id node, log_index index) override { durable_[node] = index; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    const auto* m = message.get<forget>();
    if (m == nullptr)
      return;
    const auto last = ordered_.find(m->at);
    if (!last) {
      fail(text(from) + " wants to forget up to " + std::to_string(m->at.value) + ", where nothing stands");
      return;
    }
    std::size_t have = 0;
    for (const auto& [node, index] : durable_)
      have += index > *last ? 1 : 0;
    if (!quorum_.reached(have))
      fail(text(from) + " wants to forget index " + std::to_string(last->value) + ", which " +
           std::to_string(have) + " nodes have durably applied");
  }

private:
  const ledger& ordered_;
  majority quorum_;
  std::map<node_id, log_index> durable_;
};

}  // namespace

std::unique_ptr<check> forget_check(verdict& result, const ledger& ordered, std::size_t members) {
  return std::make_unique<forgettings>(result, ordered, members);
}

}  // namespace quorate::testing
