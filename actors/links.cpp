#include "actors/links.hpp"

#include <algorithm>

namespace quorate {

caf::strong_actor_ptr link::find(const role_address& role) const {
  std::lock_guard lock{mutex_};
  const auto found = handles_.find(role);
  return found == handles_.end() ? nullptr : found->second;
}

void link::add(const role_address& role, caf::strong_actor_ptr handle) {
  std::lock_guard lock{mutex_};
  handles_[role] = std::move(handle);
}

void link::reset() {
  handle_map old;  // destroyed outside of the lock: dropping a proxy may run code of CAF's
  {
    std::lock_guard lock{mutex_};
    old.swap(handles_);
  }
  in_flight_ = 0;
  received_ = 0;
}

link::handle_map link::handles() const {
  std::lock_guard lock{mutex_};
  return handles_;
}

bool link::admit(std::size_t bytes) {
  if (bytes_max_ == 0)
    return true;
  if (in_flight_.load() >= bytes_max_) {
    ++dropped_;
    return false;
  }
  in_flight_ += bytes;
  return true;
}

void link::acknowledged(std::size_t bytes) {
  // A late acknowledgement of an earlier connection must not make the count wrap.
  auto now = in_flight_.load();
  while (!in_flight_.compare_exchange_weak(now, now - std::min(now, bytes)))
    ;
}

links::links(node_id self, const std::vector<node_id>& nodes, std::size_t bytes_max) : self_(self) {
  for (const auto n : nodes)
    links_.emplace(n, std::make_unique<link>(n == self ? 0 : bytes_max));
  if (!links_.contains(self))
    links_.emplace(self, std::make_unique<link>(0));
}

link* links::find(node_id node) const {
  const auto found = links_.find(node);
  return found == links_.end() ? nullptr : found->second.get();
}

}  // namespace quorate
