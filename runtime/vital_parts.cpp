#include "runtime/vital_parts.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/error.hpp>

#include <atomic>

namespace quorate {

struct vital_parts::shared {
  fatal_function fatal;
  std::atomic<bool> stopping{false};
};

vital_parts::vital_parts(fatal_function fatal) : shared_(std::make_shared<shared>()) {
  shared_->fatal = std::move(fatal);
}

void vital_parts::watch(const caf::strong_actor_ptr& part, const std::string& name) const {
  part->get()->attach_functor([shared = shared_, name](const caf::error& reason) {
    if (!shared->stopping && shared->fatal)
      shared->fatal(name + " has ended, which nobody has asked for: " + to_string(reason));
  });
}

void vital_parts::stop() const {
  shared_->stopping = true;
}

}  // namespace quorate
