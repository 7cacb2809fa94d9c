// Actors that run on the thread of the network's event loop.
#pragma once

#include <caf/actor_config.hpp>
#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduled_actor.hpp>

#include <utility>

namespace quorate {

/// An actor class `Base` whose messages are handled by one given execution unit, whoever sends them: by the
/// network's event loop, as CAF's own brokers are. A message that came in over a socket, and what follows
/// from it, is handled without waking another thread, and so is what goes out. Handlers must not block. \pre
/// the unit outlives the actor, and runs `resumable::io_actor`s itself: CAF's multiplexer does.
template <class Base>
class io_bound : public Base {
public:
  template <class... Args>
  io_bound(caf::actor_config& config, caf::execution_unit* unit, Args&&... args)
      : Base(config, std::forward<Args>(args)...), unit_(unit) {}

  using Base::enqueue;
  bool enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    return caf::scheduled_actor::enqueue(std::move(element), unit_);
  }
  [[nodiscard]] caf::resumable::subtype_t subtype() const override { return caf::resumable::io_actor; }

private:
  caf::execution_unit* unit_;
};

}  // namespace quorate
