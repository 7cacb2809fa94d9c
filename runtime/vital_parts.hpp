// Parts without which a process is only half alive.
#pragma once

#include <caf/actor_control_block.hpp>

#include <functional>
#include <memory>
#include <string>

namespace quorate {

/// Watches actors. One that ends, by an exception or by whatever told it to, is fatal, with its name: without
/// it the others would go on in the belief that it is there. Once `stop` has been called, ends are asked for.
/// Thread-safe.
class vital_parts {
public:
  using fatal_function = std::function<void(const std::string& message)>;

  explicit vital_parts(fatal_function fatal);

  void watch(const caf::strong_actor_ptr& part, const std::string& name) const;
  void stop() const;

private:
  struct shared;
  std::shared_ptr<shared> shared_;  ///< actors may end after this object
};

}  // namespace quorate
