#include "tests/harness/checks.hpp"

#include "tests/harness/transcript.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

class states : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "state"; }

  // Not when the replica starts: it has applied its saved log again by then.
  void crashed(node_id node) override { last_.erase(node); }

  void stored(const place& p, log_index index, std::optional<std::uint64_t> sum) override {
    const auto last = last_.find(p.node);
    if (sum && last != last_.end() && index != last->second.next())
      fail(text(p) + " goes from index " + std::to_string(last->second.value) + " to " +
           std::to_string(index.value));
    last_[p.node] = index;
    if (!sum)
      return;
    const auto [known, fresh] = sums_.emplace(index, *sum);
    if (!fresh && known->second != *sum)
      fail(text(p) + " changes its state at index " + std::to_string(index.value) + " as nobody else did");
  }

  void stands(const place& p, log_index index, std::uint64_t sum) override {
    const auto [known, fresh] = states_.emplace(index, sum);
    if (!fresh && known->second != sum)
      fail(text(p) + " has another state at index " + std::to_string(index.value) + " than others");
  }

  void ended(const run_outcome& outcome) override {
    const node_outcome* first = nullptr;
    for (const auto& n : outcome.nodes) {
      if (n.wiped)
        continue;
      if (first == nullptr)
        first = &n;
      else if (sum_of(*first->state) != sum_of(*n.state))
        fail(quorate::text(n.node) + " and " + quorate::text(first->node) + " end with different states");
    }
  }

private:
  static std::uint64_t sum_of(const store& state) {
    digest sum;
    state.scan("", "", [&](std::string_view key, std::string_view value) {
      sum.mix(key);
      sum.mix(value);
      return true;
    });
    return sum.value();
  }

  std::map<log_index, std::uint64_t> sums_;
  std::map<log_index, std::uint64_t> states_;
  std::map<node_id, log_index> last_;
};

class wipes : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "wiped disk"; }

  void wiped(node_id node, disk_id) override { wiped_.insert(node); }

  void sent(const place& from, const std::vector<node_id>& to, const box& message) override {
    if (!wiped_.contains(from.node) || from.role == port::founding || from.role == port::membership)
      return;
    for (const auto n : to)
      if (n != from.node)
        fail(text(from) + " has lost its disk and sends " + message.text() + " to " + quorate::text(n));
  }

private:
  std::set<node_id> wiped_;
};

class notes : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "note"; }

  void wiped(node_id node, disk_id) override { wiped_.insert(node); }
  void noted(const place& p, severity level, const std::string& line) override {
    // Whoever has lost a disk is right to complain.
    if (level == severity::error && !wiped_.contains(p.node))
      fail(text(p) + ": " + line);
  }

private:
  std::set<node_id> wiped_;
};

}  // namespace

std::unique_ptr<check> state_check(verdict& result) {
  return std::make_unique<states>(result);
}
std::unique_ptr<check> wiped_check(verdict& result) {
  return std::make_unique<wipes>(result);
}
std::unique_ptr<check> note_check(verdict& result) {
  return std::make_unique<notes>(result);
}

}  // namespace quorate::testing
