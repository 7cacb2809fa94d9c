#include "runtime/founding.hpp"
#include "tests/harness/checks.hpp"

#include <tuple>

namespace quorate::testing {

namespace {

class origins : public check {
public:
  using check::check;
  [[nodiscard]] std::string_view name() const override { return "origin"; }

  void started(const place& p) override {
    if (p.role != port::founding)
      return;
    // A start hears everybody anew.
    heard_.erase(heard_.lower_bound({p.node, port{0}, node_id{0}, disk_id{0}}),
                 heard_.lower_bound({node_id{p.node.value + 1}, port{0}, node_id{0}, disk_id{0}}));
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    const auto* m = message.get<founded>();
    if (m == nullptr)
      return;
    if (members_.empty())
      members_ = m->members;
    if (m->members != members_)
      fail(text(from) + " is founded with other members than others");
    for (const auto& one : m->members)
      if (one.id == from.node && one.disk != from.disk)
        fail(text(from) + " is founded with another disk than its own");
  }

  void heard(const place& by, const origin& from) override {
    if (by.role == port::founding)
      return;
    for (const auto& one : members_)
      if (one.id == from.node && one.disk != from.disk)
        fail(text(by) + " listens to " + quorate::text(from.node) + " on a disk that is no member's");
    auto& boot = heard_[{by.node, by.role, from.node, from.disk}];
    if (from.boot < boot)
      fail(text(by) + " listens to boot " + std::to_string(from.boot.value) + " of " +
           quorate::text(from.node) + " after it has heard boot " + std::to_string(boot.value));
    boot = from.boot;
  }

private:
  std::vector<member> members_;  ///< as the first node was founded with
  std::map<std::tuple<node_id, port, node_id, disk_id>, boot_id> heard_;
};

}  // namespace

std::unique_ptr<check> origin_check(verdict& result) {
  return std::make_unique<origins>(result);
}

}  // namespace quorate::testing
