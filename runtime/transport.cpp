#include "runtime/transport.hpp"

#include "actors/prng.hpp"
#include "runtime/transport_door.hpp"
#include "runtime/transport_dial.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

namespace quorate {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds handshake_timeout{1'000};  // ours
constexpr milliseconds backoff_min{20};
constexpr milliseconds backoff_max{1'000};

/// Of other nodes at once: a node that comes back may do so before its last connections are known to be dead. The
/// same holds for clients, of which only the desk knows which connections are theirs.
constexpr std::size_t connections_max(std::size_t others) {
  return 16 + 4 * others + 2 * limits::clients_max;
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
    const auto door = dial_door(shared->system, *shared->guard, peer.host, peer.port);
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

caf::execution_unit* transport::loop(caf::actor_system& system) {
  return &system.middleman().backend();
}

transport::transport(caf::actor_system& system, transport_setup setup)
    : shared_(new shared{system, std::move(setup), {}, {}, {}, {}, {}, {}, false, {}, 0}) {
  const auto& s = shared_->setup;
  shared_->guard = std::make_shared<transport_guard>(system, transport_side::node,
                                                     connections_max(s.others.size()), s.log);
  shared_->door = system.spawn<own_door_actor::stateful_impl<transport_door>>(shared_);
  shared_->vital.watch(caf::actor_cast<caf::strong_actor_ptr>(shared_->door), "peer handshake");
  shared_->vital.watch(
      caf::actor_cast<caf::strong_actor_ptr>(system.middleman().get_named_broker("BASP")), "network layer");
  shared_->setup.links->acknowledge_soon = [door = shared_->door](node_id node) {
    caf::anon_send(door, door_acknowledge{node});
  };
}

transport::~transport() {
  stop();
}

status transport::listen() {
  const auto& setup = shared_->setup;
  const auto own = setup.listen_host.empty();
  auto opened = listening_socket::open(own ? setup.self.host : setup.listen_host,
                                       own ? setup.self.port : setup.listen_port, "other nodes");
  if (auto* failed = std::get_if<failure>(&opened))
    return std::move(*failed);
  shared_->listener = std::get<listening_socket>(std::move(opened));
  return std::nullopt;
}

void transport::listen(listening_socket socket) {
  shared_->listener = std::move(socket);
}

status transport::start() {
  if (!shared_->listener.is_open())
    if (auto failed = listen())
      return failed;
  const auto& self = shared_->setup.self;
  shared_->bound =
      shared_->guard->publish(caf::actor_cast<caf::strong_actor_ptr>(shared_->door),
                              shared_->system.message_types<door_actor>(), shared_->listener.release());
  for (const auto& peer : shared_->setup.others)
    if (self.name < peer.name && !peer.host.empty())
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
  shared_->vital.stop();
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
