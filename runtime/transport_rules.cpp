#include "runtime/transport_rules.hpp"

#include "actors/bytes.hpp"
#include "runtime/transport_messages.hpp"
#include "sync/type_ids.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/detail/meta_object.hpp>
#include <caf/node_id.hpp>

#include <array>

namespace quorate {

namespace {

using fate = frame_verdict::fate;

constexpr std::uint64_t async_message = 0x1000'0000'0000'0000;  // CAF's number of a message that no one answers
constexpr char hashed_node = 1;                                 // the kind of node id that processes have
constexpr std::uint64_t config_server = 1;                      // by name
constexpr std::uint64_t spawn_server = 2;
constexpr std::size_t down_contexts_max = 4;

frame_verdict refuse(std::string why) {
  return {fate::refuse, std::move(why)};
}

/// CAF's handle of an actor, read without making a proxy of it.
struct handle_text {
  std::uint64_t number = 0;
  caf::node_id node;
};

template <class Inspector>
bool inspect(Inspector& f, handle_text& x) {
  return f.object(x).fields(f.field("id", x.number), f.field("node", x.node));
}

/// A message of the handshake with its handles as text. The same fields in the same order as the message.
struct hello_text {
  std::uint32_t version = 0;
  std::string cluster;
  std::string name;
  disk_id disk;
  boot_id boot;
  handle_text door;
  bool answer = false;
};
template <class Inspector>
bool inspect(Inspector& f, hello_text& x) {
  return f.object(x).fields(f.field("version", x.version), f.field("cluster", x.cluster),
                            f.field("name", x.name), f.field("disk", x.disk), f.field("boot", x.boot),
                            f.field("door", x.door), f.field("answer", x.answer));
}

struct role_text {
  role_address address;
  handle_text handle;
};
template <class Inspector>
bool inspect(Inspector& f, role_text& x) {
  return f.object(x).fields(f.field("first", x.address), f.field("second", x.handle));
}

struct roles_text {
  std::string name;
  boot_id boot;
  std::vector<role_text> roles;
};
template <class Inspector>
bool inspect(Inspector& f, roles_text& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("boot", x.boot), f.field("roles", x.roles));
}

struct client_hello_text {
  std::uint32_t version = 0;
  std::string cluster;
  std::uint64_t client = 0;
  std::uint64_t attempt = 0;
  handle_text answerer;
};
template <class Inspector>
bool inspect(Inspector& f, client_hello_text& x) {
  return f.object(x).fields(f.field("version", x.version), f.field("cluster", x.cluster),
                            f.field("client", x.client), f.field("attempt", x.attempt),
                            f.field("answerer", x.answerer));
}

struct welcome_text {
  std::uint64_t attempt = 0;
  node_id node;
  boot_id boot;
  handle_text desk;
};
template <class Inspector>
bool inspect(Inspector& f, welcome_text& x) {
  return f.object(x).fields(f.field("attempt", x.attempt), f.field("node", x.node), f.field("boot", x.boot),
                            f.field("desk", x.desk));
}

std::vector<handle_text> handles_of(const hello_text& x) {
  return {x.door};
}
std::vector<handle_text> handles_of(const client_hello_text& x) {
  return {x.answerer};
}
std::vector<handle_text> handles_of(const welcome_text& x) {
  return {x.desk};
}
std::vector<handle_text> handles_of(const roles_text& x) {
  std::vector<handle_text> out;
  for (const auto& role : x.roles)
    out.push_back(role.handle);
  return out;
}

/// A handle of a third node would make CAF believe that the way there leads over the sender; one of our own
/// would let a stranger name any actor of ours.
template <class Text>
frame_verdict own_handles_only(byte_reader in, const frame_parties& parties) {
  const auto bytes = in.take(in.left());
  caf::binary_deserializer source{nullptr, bytes.data(), bytes.size()};
  Text message;
  if (!source.apply(message))
    return refuse("it sends a message that cannot be read");
  for (const auto& handle : handles_of(message))
    if (handle.node && wire_text(handle.node) != parties.peer)
      return refuse("it names an actor of another node than the one it began as");
  return {};
}

/// How many follow, as CAF writes it; nothing where it is more than 127 or there is nothing.
std::optional<std::uint8_t> short_count(byte_reader& in) {
  const auto n = in.big<std::uint8_t>();
  if (!in.ok() || n > 127)
    return std::nullopt;
  return n;
}

std::string name_of(caf::type_id_t type) {
  const auto* known = caf::detail::global_meta_object(type);
  return known ? std::string{known->type_name.begin(), known->type_name.end()}
               : "of the unknown type " + std::to_string(type);
}

template <class T>
constexpr bool is(caf::type_id_t type) {
  return type == caf::type_id_v<T>;
}

frame_verdict not_for_strangers(caf::type_id_t type) {
  return refuse("it sends a message " + name_of(type) + " before it has introduced itself");
}

/// A message of one value: what the two ends of a connection say to each other.
frame_verdict judge_single(caf::type_id_t type, byte_reader in, const frame_head& head,
                           const frame_parties& parties, peer_standing standing) {
  const auto whole = head.payload_bytes <= frame_prefix_bytes;
  if (parties.side == transport_side::client) {
    if (is<client_welcome>(type) && whole)
      return own_handles_only<welcome_text>(in, parties);
    if (is<client_refusal>(type) || is<client_results>(type))
      return {};
    return refuse("it sends a message " + name_of(type) + ", which no client takes");
  }
  if (is<client_commands>(type))
    return standing == peer_standing::client ? frame_verdict{} : not_for_strangers(type);
  const auto introduces =
      is<door_hello>(type) || is<door_roles>(type) || is<door_received>(type) || is<client_hello>(type);
  if (!introduces || head.destination != parties.handshake)
    return refuse("it sends a message " + name_of(type) + ", which no node sends there");
  if (!whole)
    return refuse("it introduces itself with " + std::to_string(head.payload_bytes) + " bytes");
  if (is<door_hello>(type))
    return own_handles_only<hello_text>(in, parties);
  if (is<door_roles>(type))
    return own_handles_only<roles_text>(in, parties);
  if (is<client_hello>(type))
    return own_handles_only<client_hello_text>(in, parties);
  return {};
}

frame_verdict judge_message(const frame_head& head, byte_reader in, const frame_parties& parties,
                            peer_standing standing) {
  if (head.flags == named_receiver_flag) {
    // CAF asks for each new node's spawn server by itself. Nothing may be spawned here.
    if (head.destination == config_server || head.destination == spawn_server)
      return {fate::swallow, {}};
    return refuse("it sends a message to a server that no node has");
  }
  const auto stages = short_count(in);
  if (stages != 0)
    return refuse(in.ok() ? "it sends a message that is to be forwarded"
                          : "it sends a message that cannot be read");
  const auto count = short_count(in);
  if (count == 0)
    return {fate::swallow, {}};
  if (!count || *count > 2)
    return refuse("it sends a message of more values than a node does");
  const auto first = in.big<caf::type_id_t>();
  const auto second = *count == 2 ? in.big<caf::type_id_t>() : caf::type_id_t{0};
  if (!in.ok())
    return refuse("it sends a message that cannot be read");
  if (first < caf::first_custom_type_id || (*count == 2 && second < caf::first_custom_type_id))
    return refuse("it sends a message " + name_of(first) + ", which no node sends");
  if (head.data != async_message)
    return refuse("it sends a request, which no node does");
  if (*count == 1)
    return judge_single(first, in, head, parties, standing);
  // What roles say to each other: who sends it stands in front.
  const auto introduction = second >= caf::id_block::quorate_transport::begin &&
                            second < caf::id_block::quorate_client::end;
  if (!is<origin>(first) || introduction || caf::detail::global_meta_object(second) == nullptr ||
      parties.side != transport_side::node || head.destination == parties.handshake)
    return refuse("it sends a message " + name_of(second) + ", which no node sends there");
  return standing == peer_standing::member ? frame_verdict{} : not_for_strangers(second);
}

/// That an actor is watched, or has ended: each side speaks for its own node, to ours.
frame_verdict judge_notice(const frame_head& head, byte_reader in, const frame_parties& parties) {
  if (in.take(node_id_bytes) != parties.peer || in.take(node_id_bytes) != parties.self || !in.ok())
    return refuse("it speaks for another node than the one it began as");
  if (head.operation == monitor_message)
    return in.at_end() ? frame_verdict{} : refuse("it sends a notice that cannot be read");
  // The reason: present, code, category, and a message of texts.
  const auto present = in.big<std::uint8_t>();
  if (present == 1) {
    static_cast<void>(in.big<std::uint8_t>());
    static_cast<void>(in.big<caf::type_id_t>());
    const auto contexts = short_count(in);
    if (!contexts || *contexts > down_contexts_max)
      return refuse("it sends a notice that cannot be read");
    for (std::uint8_t i = 0; i < *contexts; ++i)
      if (!is<std::string>(in.big<caf::type_id_t>()))
        return refuse("it sends a notice that cannot be read");
  }
  return in.ok() && present <= 1 ? frame_verdict{} : refuse("it sends a notice that cannot be read");
}

}  // namespace

std::string wire_text(const caf::node_id& id) {
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  if (!sink.apply(id))
    return {};
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::string> handshake_node(std::string_view payload, frame_place place) {
  if (payload.size() < node_id_bytes || payload.front() != hashed_node ||
      (place == frame_place::first_of_dialler && payload.size() != node_id_bytes))
    return std::nullopt;
  return std::string{payload.substr(0, node_id_bytes)};
}

urgency urgency_of(std::string_view frame) {
  const auto head = read_frame_head(frame.substr(0, frame_head_bytes));
  if (head.operation != direct_message || frame.size() <= whole_bytes_max)
    return urgency::now;
  byte_reader in{frame.substr(frame_head_bytes)};
  if (short_count(in) != 0 || short_count(in) != 2)
    return urgency::bulk;
  static_cast<void>(in.big<caf::type_id_t>());
  const auto what = in.big<caf::type_id_t>();
  return what >= caf::id_block::quorate_sync::begin && what < caf::id_block::quorate_sync::end
             ? urgency::background
             : urgency::bulk;
}

frame_verdict judge(const frame_head& head, std::string_view prefix, const frame_parties& parties,
                    peer_standing standing) {
  byte_reader in{prefix};
  switch (head.operation) {
  case direct_message:
    return judge_message(head, in, parties, standing);
  case monitor_message:
  case down_message:
    return judge_notice(head, in, parties);
  default:
    return refuse("it sends a frame that no node sends");
  }
}

}  // namespace quorate
