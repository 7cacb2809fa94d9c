// What a node's status page and health check show.
#pragma once

#include "balancers/messages.hpp"
#include "runtime/membership.hpp"
#include "runtime/replica.hpp"

#include <mutex>

namespace quorate {

/// The newest figures of a node's roles. Thread-safe: the node's actor writes, client edges read.
class status_board {
public:
  struct contents {
    bool founded = false;
    std::string reason = "this node is starting";  ///< why it has no cluster, while it has none
    std::string protocol;
    std::vector<member> members;
    connectivity peers;
    replica_figures replica;
    balancer_figures balancer;
  };

  void set(const std::function<void(contents&)>& change) {
    std::lock_guard lock{mutex_};
    change(contents_);
  }
  [[nodiscard]] contents get() const {
    std::lock_guard lock{mutex_};
    return contents_;
  }

private:
  mutable std::mutex mutex_;
  contents contents_;
};

}  // namespace quorate
