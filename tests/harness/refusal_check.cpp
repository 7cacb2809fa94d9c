#include "tests/harness/checks.hpp"
#include "tests/harness/transcript.hpp"

#include <set>

namespace quorate::testing {

namespace {

/// Clients may ask for the same thing twice: then what is executed is counted against what was not refused.
class refusals : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "refusal"; }

  void invoked(const operation& op) override {
    if (op.kind == request_kind::write)
      ++alike_[digest_of(op.argument)].asked;
  }

  void executed(node_id node, log_index index, std::span<const command_view> commands) override {
    for (const auto& c : commands) {
      const auto found = alike_.find(digest_of(c.body));
      if (found == alike_.end())
        continue;
      auto& a = found->second;
      if (a.executed.insert(c.id).second && a.too_many())
        fail(quorate::text(node) + " executes operation " + std::to_string(a.refused_last) + " at index " +
             std::to_string(index.value) + ", which was refused");
    }
  }

  void returned(const operation& op) override {
    if (op.kind != request_kind::write || op.fate() != fate::refused)
      return;
    auto& a = alike_[digest_of(op.argument)];
    ++a.refused;
    a.refused_last = op.number;
    if (a.too_many())
      fail("operation " + std::to_string(op.number) + " was refused with " + std::string{to_string(op.code)} +
           ", and had been executed");
  }

private:
  /// Operations that ask for the same.
  struct alike {
    std::uint64_t asked = 0;
    std::uint64_t refused = 0;
    std::uint64_t refused_last = 0;
    std::set<command_id> executed;
    [[nodiscard]] bool too_many() const { return executed.size() > asked - refused; }
  };
  std::map<std::uint64_t, alike> alike_;  ///< by the sum of what they ask for
};

}  // namespace

std::unique_ptr<check> refusal_check(verdict& result) {
  return std::make_unique<refusals>(result);
}

}  // namespace quorate::testing
