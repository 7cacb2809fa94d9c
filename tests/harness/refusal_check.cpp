#include "tests/harness/checks.hpp"
#include "tests/harness/transcript.hpp"

#include <set>

namespace quorate::testing {

namespace {

class refusals : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "refusal"; }

  void executed(node_id node, log_index index, std::span<const command_view> commands) override {
    for (const auto& c : commands) {
      const auto sum = digest_of(c.body);
      executed_.insert(sum);
      if (const auto found = refused_.find(sum); found != refused_.end())
        fail(quorate::text(node) + " executes operation " + std::to_string(found->second) + " at index " +
             std::to_string(index.value) + ", which was refused");
    }
  }

  void returned(const operation& op) override {
    if (op.kind != request_kind::write || op.fate() != fate::refused)
      return;
    const auto sum = digest_of(op.argument);
    refused_.emplace(sum, op.number);
    if (executed_.contains(sum))
      fail("operation " + std::to_string(op.number) + " was refused with " + std::string{to_string(op.code)} +
           ", and had been executed");
  }

private:
  std::set<std::uint64_t> executed_;
  std::map<std::uint64_t, std::uint64_t> refused_;  ///< sum of the command -> operation
};

}  // namespace

std::unique_ptr<check> refusal_check(verdict& result) {
  return std::make_unique<refusals>(result);
}

}  // namespace quorate::testing
