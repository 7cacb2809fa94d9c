// What a client that is no node and a node's desk say to each other.
#pragma once

#include "actors/type_ids.hpp"
#include "runtime/client_traffic.hpp"
#include "runtime/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace quorate {

/// Of the messages between clients and nodes.
inline constexpr std::uint32_t client_wire_version = 2;

/// client -> door, which passes it on to the desk.
struct client_hello {
  std::uint32_t version = client_wire_version;
  std::string cluster;
  std::uint64_t client = 0;        ///< random, the same for every node that the client talks to
  std::uint64_t attempt = 0;       ///< comes back with the answer
  caf::strong_actor_ptr answerer;  ///< the client's actor
};

/// desk -> client.
struct client_welcome {
  std::uint64_t attempt = 0;
  node_id node;
  boot_id boot;
  caf::strong_actor_ptr desk;  ///< takes client_commands
};

/// desk -> client: why not, in one sentence.
struct client_refusal {
  std::uint64_t attempt = 0;
  std::string reason;
};

/// client -> desk.
struct client_commands {
  std::uint64_t client = 0;
  std::vector<command> list;
};

/// desk -> client: what became of commands.
struct client_results {
  node_id node;
  boot_id boot;
  std::vector<outcome> list;
};

/// Local to a client: a dialler has got hold of a node's door.
struct client_dialled {
  std::uint64_t attempt = 0;
  caf::strong_actor_ptr door;
};

/// Local to a client: there are new submissions, or it is to close.
struct client_wake {};

template <class Inspector>
bool inspect(Inspector& f, client_hello& x) {
  return f.object(x).fields(f.field("version", x.version), f.field("cluster", x.cluster),
                            f.field("client", x.client), f.field("attempt", x.attempt),
                            f.field("answerer", x.answerer));
}
template <class Inspector>
bool inspect(Inspector& f, client_welcome& x) {
  return f.object(x).fields(f.field("attempt", x.attempt), f.field("node", x.node), f.field("boot", x.boot),
                            f.field("desk", x.desk));
}
template <class Inspector>
bool inspect(Inspector& f, client_refusal& x) {
  return f.object(x).fields(f.field("attempt", x.attempt), f.field("reason", x.reason));
}
template <class Inspector>
bool inspect(Inspector& f, client_commands& x) {
  return f.object(x).fields(f.field("client", x.client), f.field("list", x.list));
}
template <class Inspector>
bool inspect(Inspector& f, client_results& x) {
  return f.object(x).fields(f.field("node", x.node), f.field("boot", x.boot), f.field("list", x.list));
}

}  // namespace quorate

CAF_BEGIN_TYPE_ID_BLOCK(quorate_client, first_custom_type_id + 190)
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_hello))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_welcome))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_refusal))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_commands))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_results))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_dialled))
CAF_ADD_TYPE_ID(quorate_client, (quorate::client_wake))
CAF_END_TYPE_ID_BLOCK(quorate_client)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_dialled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_wake)

namespace quorate {

/// A node's desk, as clients and the node's own door and replica see it.
using desk_actor = caf::typed_actor<caf::result<void>(client_hello), caf::result<void>(client_commands),
                                    caf::result<void>(origin, client_outcomes)>;
/// A client's actor.
using answerer_actor = caf::typed_actor<caf::result<void>(client_welcome), caf::result<void>(client_refusal),
                                        caf::result<void>(client_results), caf::result<void>(client_dialled),
                                        caf::result<void>(client_wake)>;

}  // namespace quorate
