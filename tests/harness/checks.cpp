#include "tests/harness/checks.hpp"

#include "tests/harness/sim_disk.hpp"
#include "tests/harness/transcript.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

std::uint64_t digest_of(std::string_view bytes) {
  digest sum;
  sum.mix(bytes);
  return sum.value();
}

class deliveries : public check {
public:
  using check::check;
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
    const auto* m = message.get<delivered>();
    if (m == nullptr)
      return;
    const auto who = text(from);
    if (m->value.is_noop())
      fail(who + " delivers a no-op at " + std::to_string(m->at.value));
    const auto [known, fresh] =
        order_.emplace(m->at, entry{m->value.id, digest_of(m->value.body.view()), std::nullopt});
    if (fresh)
      judge(*m, who);
    else if (known->second.id != m->value.id || known->second.sum != digest_of(m->value.body.view()))
      fail(who + " delivers " + text(m->value.id) + " at " + std::to_string(m->at.value) + ", others " +
           text(known->second.id));
    auto& last = last_[from.node];
    if (last && last->second == m->generation) {
      auto& next = order_.at(last->first).next;
      if (m->at <= last->first)
        fail(who + " delivers " + std::to_string(m->at.value) + " behind " +
             std::to_string(last->first.value));
      else if (next && *next != m->at)
        fail(who + " delivers " + std::to_string(m->at.value) + " after " +
             std::to_string(last->first.value) + ", others " + std::to_string(next->value));
      next = m->at;
    }
    last.emplace(m->at, m->generation);
  }

private:
  struct entry {
    batch_id id;
    std::uint64_t sum;
    std::optional<cursor> next;
  };

  void judge(const delivered& m, const std::string& who) {
    const auto commands = decode_commands(m.value.body.view());
    if (!commands) {
      fail(who + " delivers bytes that are no batch at " + std::to_string(m.at.value));
      return;
    }
    for (const auto& c : *commands)
      if (c.kind == command_kind::machine && !asked_.contains(digest_of(c.body)))
        fail(who + " delivers command " + text(c.id) + ", which nobody asked for");
  }

  std::set<std::uint64_t> asked_;
  std::map<cursor, entry> order_;
  std::map<node_id, std::optional<std::pair<cursor, std::uint64_t>>> last_;  ///< cursor and generation
};

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

std::unique_ptr<check> delivery_check(verdict& result) {
  return std::make_unique<deliveries>(result);
}
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
