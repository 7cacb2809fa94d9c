// Puts a role class behind `any_role`, ready for the simulator and for CAF. Include it only where roles are
// made: it brings CAF along.
#pragma once

#include "actors/io_bound.hpp"
#include "actors/shell.hpp"

#include <caf/actor_system.hpp>

namespace quorate {

template <role_class R>
class role_host final : public any_role {
public:
  template <class... Args>
  explicit role_host(Args&&... args) : role_(std::forward<Args>(args)...) {}

  [[nodiscard]] port place() const override { return R::place; }
  void recover(const journal_view& saved) override {
    if constexpr (requires { role_.recover(saved); })
      role_.recover(saved);
  }
  void start() override {
    if constexpr (requires { role_.start(out_); })
      role_.start(out_);
  }
  [[nodiscard]] bool on(node_id from, const box& message) override {
    return dispatch(from, message, static_cast<typename R::handles*>(nullptr));
  }
  void on_timer(timer_tag tag) override {
    if constexpr (requires { role_.on(tag, out_); })
      role_.on(tag, out_);
  }
  void on_rows(journal_rows rows) override {
    if constexpr (requires { role_.on(std::move(rows), out_); })
      role_.on(std::move(rows), out_);
  }
  [[nodiscard]] effects& out() override { return out_; }

  [[nodiscard]] caf::strong_actor_ptr spawn(std::unique_ptr<any_role> self, caf::actor_system& system,
                                            std::shared_ptr<shell_environment> environment,
                                            const role_identity& identity) override {
    using actor = typename actor_of<R>::template stateful_impl<shell<R, role_host>>;
    if (environment->detached.contains(R::place))
      return caf::actor_cast<caf::strong_actor_ptr>(
          system.spawn<actor, caf::detached>(std::move(self), std::move(environment), identity));
    if (auto* loop = environment->loop)
      return caf::actor_cast<caf::strong_actor_ptr>(
          system.spawn<io_bound<actor>>(loop, std::move(self), std::move(environment), identity));
    return caf::actor_cast<caf::strong_actor_ptr>(
        system.spawn<actor>(std::move(self), std::move(environment), identity));
  }

  [[nodiscard]] R& role() { return role_; }
  [[nodiscard]] typename R::out& typed_out() { return out_; }

private:
  template <class... Ms>
  bool dispatch(node_id from, const box& message, messages<Ms...>*) {
    return (handle<Ms>(from, message) || ...);
  }
  template <class M>
  bool handle(node_id from, const box& message) {
    static_assert(destination_of<M> == R::place, "this message is for another role");
    const auto* m = message.get<M>();
    if (!m)
      return false;
    role_.on(from, *m, out_);
    return true;
  }

  R role_;
  typename R::out out_;
};

}  // namespace quorate
