// What the doors of two nodes say to each other. No other actor of another node is known at first.
#pragma once

#include "actors/links.hpp"
#include "actors/type_ids.hpp"
#include "runtime/client_messages.hpp"

#include <caf/typed_actor.hpp>

namespace quorate {

/// Of the messages between nodes; doors of different versions refuse each other.
inline constexpr std::uint32_t wire_version = 2;

/// Who is at the door. Both sides say it; the one that dialled first. The name is what identifies a node:
/// until the cluster is founded, two specs may give it different numbers.
struct door_hello {
  std::uint32_t version = wire_version;
  std::string cluster;
  std::string name;
  disk_id disk;
  boot_id boot;
  caf::strong_actor_ptr door;
  bool answer = false;  ///< this answers a hello
};

/// The actors of the sender's roles: all of them after the hello, later ones as they start.
struct door_roles {
  std::string name;
  boot_id boot;
  std::vector<std::pair<role_address, caf::strong_actor_ptr>> roles;
};

/// The sender has received this many bytes from the receiver's roles since it last said so.
struct door_received {
  std::string name;
  boot_id boot;
  std::uint64_t bytes = 0;
};

/// Local: the dialler has got hold of a peer's door.
struct door_dialled {
  node_id node;
  caf::strong_actor_ptr door;
};

/// Local: a role has started on this node.
struct door_published {
  role_address address;
  caf::strong_actor_ptr handle;
};

/// Local: acknowledge now what a node has sent.
struct door_acknowledge {
  node_id node;
};

template <class Inspector>
bool inspect(Inspector& f, port& x) {
  auto raw = static_cast<std::uint8_t>(x);
  if (!f.apply(raw))
    return false;
  x = static_cast<port>(raw);
  return true;
}
template <class Inspector>
bool inspect(Inspector& f, role_address& x) {
  return f.object(x).fields(f.field("group", x.group), f.field("epoch", x.epoch), f.field("role", x.role));
}
template <class Inspector>
bool inspect(Inspector& f, door_hello& x) {
  return f.object(x).fields(f.field("version", x.version), f.field("cluster", x.cluster),
                            f.field("name", x.name), f.field("disk", x.disk), f.field("boot", x.boot),
                            f.field("door", x.door), f.field("answer", x.answer));
}
template <class Inspector>
bool inspect(Inspector& f, door_roles& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("boot", x.boot), f.field("roles", x.roles));
}
template <class Inspector>
bool inspect(Inspector& f, door_received& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("boot", x.boot), f.field("bytes", x.bytes));
}

}  // namespace quorate

CAF_BEGIN_TYPE_ID_BLOCK(quorate_transport, first_custom_type_id + 180)
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_hello))
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_roles))
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_received))
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_dialled))
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_published))
CAF_ADD_TYPE_ID(quorate_transport, (quorate::door_acknowledge))
CAF_END_TYPE_ID_BLOCK(quorate_transport)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::door_dialled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::door_published)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::door_acknowledge)

namespace quorate {

/// The one actor of a node that others can name.
using door_actor = caf::typed_actor<caf::result<void>(door_hello), caf::result<void>(door_roles),
                                    caf::result<void>(door_received), caf::result<void>(client_hello)>;
/// The same, as its own node sees it.
using own_door_actor = door_actor::extend<caf::result<void>(door_dialled), caf::result<void>(door_published),
                                          caf::result<void>(door_acknowledge)>;

}  // namespace quorate
