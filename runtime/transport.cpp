#include "runtime/transport.hpp"

#include "actors/prng.hpp"
#include "runtime/transport_door.hpp"
#include "runtime/transport_probe.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

namespace quorate {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds probe_timeout{500};
constexpr milliseconds dial_timeout{2'000};       // CAF's own handshake
constexpr milliseconds handshake_timeout{1'000};  // ours
constexpr milliseconds backoff_min{20};
constexpr milliseconds backoff_max{1'000};

/// CAF's own way to dial waits for ever; a frozen peer must not hold up our stopping.
caf::strong_actor_ptr dial(caf::actor_system& system, const transport_peer& peer) {
  caf::strong_actor_ptr result;
  caf::scoped_actor self{system};
  self->request(system.middleman().actor_handle(), dial_timeout, caf::connect_atom_v, peer.host, peer.port)
      .receive(
          [&](const caf::node_id&, caf::strong_actor_ptr& door, std::set<std::string>& signatures) {
            if (door && system.assignable(signatures, system.message_types<door_actor>()))
              result = std::move(door);
          },
          [](const caf::error&) {});
  return result;
}

/// Dials one peer for ever.
void keep_dialling(const std::shared_ptr<transport::shared>& shared, const transport_peer& peer) {
  prng jitter{shared->setup.boot.value * 1'000 + peer.id.value};
  auto backoff = backoff_min;
  std::unique_lock lock{shared->mutex};
  auto is_connected = [&] { return shared->connected.contains(peer.id); };
  while (!shared->stopping) {
    if (is_connected()) {
      backoff = backoff_min;
      shared->changed.wait(lock, [&] { return shared->stopping || !is_connected(); });
      continue;
    }
    lock.unlock();
    // CAF's one middleman actor is blocked while it connects, so it may only do so where somebody listens.
    caf::strong_actor_ptr door;
    if (can_connect(peer.host, peer.port, probe_timeout))
      door = dial(shared->system, peer);
    if (door)
      caf::anon_send(shared->door, door_dialled{peer.id, door});
    lock.lock();
    // A stale handle, of a connection that CAF does not yet know to be dead, never answers.
    if (door)
      shared->changed.wait_for(lock, handshake_timeout, [&] { return shared->stopping || is_connected(); });
    if (is_connected() || shared->stopping)
      continue;
    const auto wait =
        backoff / 2 +
        milliseconds{static_cast<std::int64_t>(jitter.below(static_cast<std::uint64_t>(backoff.count())))};
    shared->changed.wait_for(lock, wait, [&] { return shared->stopping || is_connected(); });
    backoff = std::min(backoff * 2, backoff_max);
  }
}

}  // namespace

void transport::load(caf::actor_system_config& config, duration suspect) {
  config.load<caf::io::middleman>();
  config.set("caf.middleman.workers", 0);
  config.set("caf.middleman.enable-automatic-connections", false);
  config.set("caf.middleman.heartbeat-interval", caf::timespan{suspect / 4});
  config.set("caf.middleman.connection-timeout", caf::timespan{suspect});
}

void transport::register_messages() {
  caf::init_global_meta_objects<caf::id_block::quorate_transport>();
  caf::io::middleman::init_global_meta_objects();
}

transport::transport(caf::actor_system& system, transport_setup setup)
    : shared_(new shared{system, std::move(setup), {}, {}, {}, {}, false, {}, 0}) {
  shared_->door = system.spawn<own_door_actor::stateful_impl<transport_door>>(shared_);
  shared_->setup.links->acknowledge_soon = [door = shared_->door](node_id node) {
    caf::anon_send(door, door_acknowledge{node});
  };
}

transport::~transport() {
  stop();
}

status transport::start() {
  const auto& self = shared_->setup.self;
  // Binding may reuse the address of a killed process; a second listener is still refused.
  auto bound =
      shared_->system.middleman().publish(door_actor{shared_->door}, self.port, self.host.c_str(), true);
  if (!bound)
    return failure{errc::in_use, "cannot listen on " + self.host + ":" + std::to_string(self.port) +
                                     " for other nodes: is another process using it?"};
  shared_->bound = *bound;
  for (const auto& peer : shared_->setup.others)
    if (self.name < peer.name)
      shared_->diallers.emplace_back([shared = shared_, peer] { keep_dialling(shared, peer); });
  return std::nullopt;
}

void transport::stop() {
  {
    std::lock_guard lock{shared_->mutex};
    if (shared_->stopping)
      return;
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
  for (auto& thread : shared_->diallers)
    thread.join();
  shared_->diallers.clear();
  if (shared_->bound != 0)
    static_cast<void>(shared_->system.middleman().unpublish(shared_->door, shared_->bound));
  caf::anon_send_exit(shared_->door, caf::exit_reason::user_shutdown);
  shared_->door = nullptr;
}

void transport::published(const role_address& address, const caf::strong_actor_ptr& handle) {
  caf::anon_send(shared_->door, door_published{address, handle});
}

std::vector<node_id> transport::connected() const {
  std::lock_guard lock{shared_->mutex};
  return {shared_->connected.begin(), shared_->connected.end()};
}

}  // namespace quorate
