#include "actors/messages.pb.h"
#include "runtime/founding.hpp"
#include "runtime/replica.hpp"
#include "tests/harness/checks.hpp"

#include <map>
#include <set>

namespace quorate::testing {

namespace {

/// What a disk has told is compared with the first word after a start: before that nothing can have been
/// learned from others.
class restarts : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "restart"; }

  void started(const place& p) override {
    if (p.role == port::replica || p.role == port::founding)
      silent_.insert({p.node, p.role});
  }

  // Whatever identity it claims: nothing is left of what it told.
  void wiped(node_id, disk_id fresh) override {
    durable_.erase(fresh);
    phase_.erase(fresh);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* applied = message.get<wire::Applied>()) {
      auto& told = durable_[from.disk];
      told = std::max(told, applied->durable());
    } else if (const auto* figures = message.get<replica_figures>()) {
      if (silent_.erase({from.node, from.role}) > 0 && figures->next < durable_[from.disk])
        fail(text(from) + " comes back at index " + std::to_string(figures->next) + ", and has told that " +
             std::to_string(durable_[from.disk]) + " batches are durable");
    } else if (const auto* hello = message.get<wire::Hello>()) {
      auto& told = phase_[from.disk];
      if (silent_.erase({from.node, from.role}) > 0 && hello->phase() < told)
        fail(text(from) + " comes back in phase " + std::to_string(hello->phase()) +
             " of founding, and has told that it was in phase " + std::to_string(told));
      told = std::max<int>(told, hello->phase());
    } else if (message.get<founded>() != nullptr) {
      silent_.erase({from.node, from.role});
    }
  }

private:
  std::set<std::pair<node_id, port>> silent_;  ///< since their start
  std::map<disk_id, std::uint64_t> durable_;
  std::map<disk_id, int> phase_;
};

}  // namespace

std::unique_ptr<check> restart_check(verdict& result) {
  return std::make_unique<restarts>(result);
}

}  // namespace quorate::testing
