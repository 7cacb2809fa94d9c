#include "runtime/transport_dial.hpp"

#include "runtime/transport_messages.hpp"
#include "runtime/transport_probe.hpp"

#include <caf/actor_system.hpp>

namespace quorate {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds probe_timeout{500};
constexpr milliseconds dial_timeout{2'000};  // CAF's own handshake

}  // namespace

caf::strong_actor_ptr dial_door(caf::actor_system& system, transport_guard& guard, const std::string& host,
                                std::uint16_t port) {
  // CAF's own way to connect blocks its one middleman actor, so the connection is made here.
  const auto socket = connect_to(host, port, probe_timeout);
  if (socket < 0)
    return nullptr;
  std::set<std::string> interface;
  auto door = guard.shake_hands(socket, port, dial_timeout, interface);
  if (!system.assignable(interface, system.message_types<door_actor>()))
    return nullptr;
  return door;
}

}  // namespace quorate
