// What other nodes send.

#include "balancers/type_ids.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "runtime/founding.hpp"
#include "runtime/transport_frame.hpp"
#include "runtime/transport_rules.hpp"
#include "sync/type_ids.hpp"
#include "tests/fuzz/target.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/init_global_meta_objects.hpp>

#include <google/protobuf/stubs/logging.h>

namespace quorate::fuzz {

namespace {

template <class Message>
caf::byte_buffer saved(Message& message) {
  caf::byte_buffer out;
  caf::binary_serializer sink{nullptr, out};
  expect(sink.apply(message), "what was read can be written");
  return out;
}

/// Reads a message as CAF does, and writes and reads it again.
template <class Message>
void read_message(std::string_view bytes) {
  Message message;
  caf::binary_deserializer source{nullptr, bytes.data(), bytes.size()};
  if (!source.apply(message))
    return;
  const auto first = saved(message);
  Message again;
  caf::binary_deserializer second{nullptr, first};
  expect(second.apply(again) && second.remaining() == 0, "what was written can be read");
  expect(saved(again) == first, "a message keeps its form");
}

/// Protobuf writes to stderr what it does not like, as it must not in a node either.
[[maybe_unused]] const auto quiet = google::protobuf::SetLogHandler(nullptr);

using reader = void (*)(std::string_view);
constexpr reader readers[] = {
    &read_message<origin>,
    &read_message<submission>,
    &read_message<outcomes>,
    &read_message<batch>,
    &read_message<wire::Hello>,
    &read_message<wire::Heartbeat>,
    &read_message<wire::Applied>,
    &read_message<paxos::Prepare>,
    &read_message<with_payload<paxos::Promise>>,
    &read_message<paxos::Nack>,
    &read_message<with_payload<paxos::Accept>>,
    &read_message<with_payload<paxos::Accepted>>,
    &read_message<paxos::Ask>,
    &read_message<paxos::Position>,
    &read_message<sync::wire::Pull>,
    &read_message<sync::wire::Credit>,
    &read_message<with_payload<sync::wire::Entries>>,
    &read_message<with_payload<sync::wire::SnapshotPart>>,
    &read_message<handover>,
};

}  // namespace

void messages_bytes(std::string_view bytes) {
  if (bytes.empty())
    return;
  const auto kind = static_cast<std::uint8_t>(bytes[0]);
  const auto rest = bytes.substr(1);
  if (rest.size() >= frame_head_bytes)
    for (const auto place :
         {frame_place::first_of_dialler, frame_place::first_of_listener, frame_place::later}) {
      const auto head = read_frame_head(rest.substr(0, frame_head_bytes));
      expect(fault_of(head, place) || head.payload_bytes <= frame_bytes_max, "no frame is too long");
    }
  readers[kind % std::size(readers)](rest);
}

/// Who sends a frame, and the frame.
void frames_bytes(std::string_view bytes) {
  // CAF's errors carry messages of its own types, which a program with actors registers at its start.
  static const auto registered = (caf::core::init_global_meta_objects(), true);
  static_cast<void>(registered);
  if (bytes.size() < 1 + frame_head_bytes)
    return;
  const auto who = static_cast<std::uint8_t>(bytes[0]);
  const auto standing = static_cast<peer_standing>(who % peer_standings);
  frame_parties parties;
  parties.side = who < 128 ? transport_side::node : transport_side::client;
  parties.self = "\x01" + std::string(node_id_bytes - 1, 's');
  parties.peer = "\x01" + std::string(node_id_bytes - 1, 'p');
  parties.handshake = 9;
  auto head = read_frame_head(bytes.substr(1, frame_head_bytes));
  const auto payload = bytes.substr(1 + frame_head_bytes);
  static_cast<void>(handshake_node(payload, frame_place::first_of_dialler));
  static_cast<void>(handshake_node(payload, frame_place::first_of_listener));
  head.payload_bytes = static_cast<std::uint32_t>(payload.size());
  if (fault_of(head, frame_place::later) || payload.empty())
    return;
  const auto verdict = judge(head, payload.substr(0, frame_prefix_bytes), parties, standing);
  expect((verdict.what == frame_verdict::fate::refuse) == !verdict.why.empty(), "who is refused is told why");
  if (verdict.what != frame_verdict::fate::pass)
    return;
  expect(head.operation != routed_message && head.flags == 0, "nothing is routed or named");
  if (head.operation != direct_message)
    return;
  expect(payload[0] == 0, "nothing is forwarded");
  const auto strange = standing == peer_standing::stranger && parties.side == transport_side::node;
  expect(!strange || head.destination == parties.handshake, "strangers reach one actor");
  const auto type = static_cast<unsigned>(static_cast<std::uint8_t>(payload[2])) << 8 |
                    static_cast<std::uint8_t>(payload[3]);
  expect(type >= caf::first_custom_type_id, "no type of CAF's comes in");
}

/// The second byte on is a list of hellos, each with its length and its sender in front.
void founding_bytes(std::string_view bytes) {
  founding_setup setup;
  setup.spec.set_cluster("demo");
  setup.spec.set_protocol("paxos");
  for (std::uint32_t n = 1; n <= 3; ++n) {
    auto& m = *setup.spec.add_members();
    m.set_id(n);
    m.set_name("n" + std::to_string(n));
  }
  setup.self = node_id{1};
  setup.disk = disk_id{11};
  setup.hello_every = std::chrono::milliseconds{100};
  founding role{setup};
  founding::out out;
  role.start(out);
  while (bytes.size() > 2) {
    const auto size = std::min<std::size_t>(static_cast<std::uint8_t>(bytes[0]), bytes.size() - 2);
    const node_id from{2U + static_cast<std::uint8_t>(bytes[1]) % 2U};
    wire::Hello hello;
    if (hello.ParseFromArray(bytes.data() + 2, static_cast<int>(size)))
      role.on(from, hello, out);
    bytes.remove_prefix(2 + size);
  }
}

}  // namespace quorate::fuzz
