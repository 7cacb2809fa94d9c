#include "runtime/transport_accounts.hpp"

#include <chrono>

namespace quorate {

time_point account_now() {
  return std::chrono::duration_cast<time_point>(std::chrono::steady_clock::now().time_since_epoch());
}

void transport_accounts::connect(node_id node, std::shared_ptr<const connection_account> connection) {
  const std::lock_guard lock{mutex_};
  connections_[node] = std::move(connection);
}

std::shared_ptr<const connection_account> transport_accounts::find(node_id node) const {
  const std::lock_guard lock{mutex_};
  const auto found = connections_.find(node);
  return found == connections_.end() ? nullptr : found->second;
}

link_account::mark transport_accounts::handed(node_id to) const {
  const auto c = find(to);
  return c ? mark{c->number, c->handed} : mark{};
}

bool transport_accounts::taken(node_id to, const mark& upto) const {
  const auto c = find(to);
  return !c || c->number != upto.connection || c->taken >= upto.bytes;
}

bool transport_accounts::arriving(node_id from) const {
  const auto c = find(from);
  return c && c->bulk.going_on(account_now());
}

duration transport_accounts::transfer(node_id from) const {
  const auto c = find(from);
  return c ? c->bulk.took() : duration{};
}

duration transport_accounts::transfer_in_background(node_id from) const {
  const auto c = find(from);
  return c ? c->background.took() : duration{};
}

bool transport_accounts::background_on_its_way(node_id to) const {
  const auto c = find(to);
  return c && c->background_on_its_way;
}

bool transport_accounts::arriving_in_background(node_id from) const {
  const auto c = find(from);
  return c && c->background.going_on(account_now());
}

}  // namespace quorate
