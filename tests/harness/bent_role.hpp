// A role that is not quite right: how planted bugs are made.
#pragma once

#include "actors/role.hpp"

#include <caf/actor_control_block.hpp>

#include <functional>
#include <utility>
#include <variant>

namespace quorate::testing {

/// What goes wrong in a role. Made anew for every start of the role, so that it may remember things.
struct bend {
  /// Changes what one call of the role asked for, before any of it happens.
  std::function<void(std::vector<effect>&)> out;
  /// Changes a message before the role sees it; false: the role never does.
  std::function<bool(node_id& from, box& message)> in;
};

/// Changes what a role takes and what it asks for; everything else is the role's own.
class bent_role : public any_role {
public:
  bent_role(std::unique_ptr<any_role> whole, bend wrong)
      : whole_(std::move(whole)), wrong_(std::move(wrong)) {}

  [[nodiscard]] port place() const override { return whole_->place(); }
  void recover(const journal_view& saved) override { whole_->recover(saved); }
  void start() override {
    whole_->start();
    after();
  }
  [[nodiscard]] bool on(node_id from, const box& message) override {
    auto seen = message;
    if (wrong_.in && !wrong_.in(from, seen))
      return true;
    const auto taken = whole_->on(from, seen);
    after();
    return taken;
  }
  void on_timer(timer_tag tag) override {
    whole_->on_timer(tag);
    after();
  }
  void on_rows(journal_rows rows) override {
    whole_->on_rows(std::move(rows));
    after();
  }
  [[nodiscard]] effects& out() override { return whole_->out(); }
  /// Planted bugs run in the simulator only.
  [[nodiscard]] caf::strong_actor_ptr spawn(std::unique_ptr<any_role>, caf::actor_system&,
                                            std::shared_ptr<shell_environment>,
                                            const role_identity&) override {
    return nullptr;
  }

private:
  void after() {
    if (wrong_.out)
      wrong_.out(whole_->out().list());
  }

  std::unique_ptr<any_role> whole_;
  bend wrong_;
};

/// Replaces `message` by what `f` makes of a copy, where it is an `M`. \returns whether it is
template <class M, class F>
bool change(box& message, F f) {
  const auto* m = message.get<M>();
  if (m == nullptr)
    return false;
  auto other = *m;
  f(other);
  message = box::of(std::move(other));
  return true;
}

/// The same for every `M` that is to be sent.
template <class M, class F>
void change(std::vector<effect>& list, F f) {
  for (auto& one : list)
    if (auto* s = std::get_if<send_effect>(&one))
      change<M>(s->message, f);
}

/// Sends no `M` of which `f` says that it is to be lost.
template <class M, class F>
void drop(std::vector<effect>& list, F f) {
  std::erase_if(list, [&](const effect& e) {
    const auto* s = std::get_if<send_effect>(&e);
    const auto* m = s != nullptr ? s->message.template get<M>() : nullptr;
    return m != nullptr && f(*m);
  });
}

/// A bend of what a role asks for that remembers nothing.
template <void (*F)(std::vector<effect>&)>
bend bends_out() {
  return {F, nullptr};
}
/// A bend of what a role sees that remembers nothing.
template <bool (*F)(node_id&, box&)>
bend bends_in() {
  return {nullptr, F};
}

}  // namespace quorate::testing
