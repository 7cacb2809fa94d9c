#include "runtime/transport_rules.hpp"

#include "runtime/node_host.hpp"
#include "runtime/receive_budget.hpp"
#include "runtime/transport.hpp"
#include "runtime/transport_messages.hpp"

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace {

using namespace quorate;
using fate = frame_verdict::fate;
using enum peer_standing;

constexpr std::uint64_t handshake_actor = 9;
constexpr std::uint64_t role_actor = 11;

caf::node_id node(std::uint32_t process) {
  return caf::make_node_id(process, "0011223344556677889900112233445566778899").value();
}

const std::string me = wire_text(node(1));
const std::string peer = wire_text(node(2));
const std::string third = wire_text(node(3));

const frame_parties of_node{transport_side::node, me, peer, handshake_actor};
const frame_parties of_client{transport_side::client, me, peer, 0};

/// An actor in a system of its own, for handles that are to be written.
struct writing {
  writing() {
    static const auto registered = [] {
      register_messages();
      transport::register_messages();
      return true;
    }();
    REQUIRE(registered);
    transport::load(config, std::chrono::seconds{120});  // without it no process has a node id
    system = std::make_unique<caf::actor_system>(config);
    context = std::make_unique<caf::scoped_execution_unit>(system.get());
    actor = caf::actor_cast<caf::strong_actor_ptr>(
        system->spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; }));
  }
  ~writing() { caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown); }

  /// A payload as CAF writes it.
  template <class... Ts>
  std::string payload(Ts... values) {
    caf::byte_buffer bytes;
    caf::binary_serializer sink{context.get(), bytes};
    const std::vector<caf::strong_actor_ptr> stages;
    const auto message = caf::make_message(std::move(values)...);
    REQUIRE(sink.apply(stages));
    REQUIRE(sink.apply(message));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<caf::scoped_execution_unit> context;
  caf::strong_actor_ptr actor;
};

frame_head to(std::uint64_t destination, const std::string& payload) {
  return {.operation = direct_message,
          .payload_bytes = static_cast<std::uint32_t>(payload.size()),
          .data = 0x1000'0000'0000'0000,
          .source = 5,
          .destination = destination};
}

frame_verdict judged(const std::string& payload, std::uint64_t destination, peer_standing standing,
                     const frame_parties& parties = of_node) {
  return judge(to(destination, payload), payload, parties, standing);
}

TEST_CASE("who is not known may introduce itself, to the peer handshake actor, and nothing else") {
  writing w;
  auto parties = of_node;
  parties.peer = wire_text(w.system->node());
  const auto hello = w.payload(door_hello{1, "c", "n2", disk_id{1}, boot_id{1}, w.actor, false});
  const auto roles = w.payload(door_roles{"n2", boot_id{1}, {{role_address{}, w.actor}}});
  const auto received = w.payload(door_received{"n2", boot_id{1}, 7});
  const auto client = w.payload(client_hello{1, "c", 1, 1, w.actor});
  for (const auto& payload : {hello, roles, received, client}) {
    CHECK(judged(payload, handshake_actor, stranger, parties).what == fate::pass);
    CHECK(judged(payload, role_actor, stranger, parties).what == fate::refuse);
    CHECK(judged(payload, role_actor, member, parties).what == fate::refuse);
    auto request = to(handshake_actor, payload);
    for (const auto number : {std::uint64_t{1}, std::uint64_t{0x8000'0000'0000'0001}, std::uint64_t{3} << 60}) {
      request.data = number;
      CHECK(judge(request, payload, parties, member).what == fate::refuse);
    }
  }
  // Each handle must be one of the sender's own actors.
  for (const auto& payload : {hello, roles, client})
    CHECK(judged(payload, handshake_actor, member, of_node).why ==
          "it names an actor of another node than the one it began as");
  CHECK(judged(received, handshake_actor, member, of_node).what == fate::pass);
  const auto heartbeat = w.payload(origin{}, wire::Heartbeat{});
  CHECK(judged(heartbeat, role_actor, stranger).why.find("before it has introduced itself") != std::string::npos);
  CHECK(judged(heartbeat, role_actor, peer_standing::client).what == fate::refuse);
  CHECK(judged(heartbeat, role_actor, member).what == fate::pass);
  CHECK(judged(heartbeat, handshake_actor, member).what == fate::refuse);
  const auto commands = w.payload(client_commands{});
  CHECK(judged(commands, role_actor, stranger).what == fate::refuse);
  CHECK(judged(commands, role_actor, peer_standing::client).what == fate::pass);
  CHECK(judged(commands, role_actor, member).what == fate::refuse);
}

TEST_CASE("a client takes what a node says to clients, and nothing else") {
  writing w;
  auto parties = of_client;
  parties.peer = wire_text(w.system->node());
  CHECK(judged(w.payload(client_welcome{1, node_id{1}, boot_id{1}, w.actor}), 3, stranger, parties).what ==
        fate::pass);
  CHECK(judged(w.payload(client_welcome{1, node_id{1}, boot_id{1}, w.actor}), 3, stranger, of_client).what ==
        fate::refuse);
  CHECK(judged(w.payload(client_refusal{1, "no"}), 3, stranger, parties).what == fate::pass);
  CHECK(judged(w.payload(client_results{}), 3, stranger, parties).what == fate::pass);
  CHECK(judged(w.payload(client_commands{}), 3, member, parties).what == fate::refuse);
  CHECK(judged(w.payload(origin{}, wire::Heartbeat{}), 3, member, parties).what == fate::refuse);
}

TEST_CASE("CAF's own messages are refused, from members too") {
  writing w;
  const auto refused = [&](const std::string& payload, std::string_view named) {
    for (const auto destination : {handshake_actor, role_actor})
      for (const auto standing : {stranger, peer_standing::client, member}) {
        const auto verdict = judged(payload, destination, standing);
        CHECK(verdict.what == fate::refuse);
        CHECK(verdict.why.find(named) != std::string::npos);
      }
  };
  refused(w.payload(caf::exit_msg{nullptr, caf::exit_reason::kill}), "exit_msg");
  refused(w.payload(caf::down_msg{nullptr, caf::exit_reason::kill}), "down_msg");
  refused(w.payload(caf::link_atom_v, w.actor), "link_atom");
  refused(w.payload(caf::unlink_atom_v, w.actor), "unlink_atom");
  refused(w.payload(caf::make_error(caf::sec::runtime_error)), "error");
  refused(w.payload(std::string{"text"}), "string");
  refused(w.payload(caf::sys_atom_v, caf::get_atom_v, std::string{"info"}), "more values");
  refused(w.payload(caf::ok_atom_v, std::string{"info"}, w.actor, std::string{"x"}), "more values");
  refused(w.payload(origin{}, std::string{"x"}), "origin");
  refused(w.payload(origin{}, door_received{}), "door_received");
  refused(w.payload(origin{}), "origin");
}

TEST_CASE("what is forwarded is refused, and what is for CAF's own servers is read and thrown away") {
  writing w;
  caf::byte_buffer bytes;
  caf::binary_serializer sink{w.context.get(), bytes};
  const std::vector<caf::strong_actor_ptr> stages{w.actor};
  const auto message = caf::make_message(origin{}, wire::Heartbeat{});
  REQUIRE((sink.apply(stages) && sink.apply(message)));
  const std::string payload{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  CHECK(judged(payload, role_actor, member).why == "it sends a message that is to be forwarded");
  const auto info = w.payload(caf::sys_atom_v, caf::get_atom_v, std::string{"info"});
  auto head = to(2, info);
  head.flags = named_receiver_flag;
  CHECK(judge(head, info, of_node, stranger).what == fate::swallow);
  head.destination = 3;
  CHECK(judge(head, info, of_node, member).what == fate::refuse);
  head.operation = routed_message;
  CHECK(judge(head, info, of_node, member).what == fate::refuse);
  CHECK(judged(std::string(10, '\0'), role_actor, stranger).what == fate::swallow);
}

TEST_CASE("a notice counts for the node with which its connection began, and for this one") {
  for (const std::uint8_t operation : {monitor_message, down_message}) {
    const auto notice = [&](const std::string& bytes) {
      return judge({.operation = operation, .payload_bytes = static_cast<std::uint32_t>(bytes.size())}, bytes, of_node,
                   member)
          .what;
    };
    const std::string reason = operation == down_message ? std::string(1, '\0') : "";
    CHECK(notice(peer + me + reason) == fate::pass);
    CHECK(notice(third + me + reason) == fate::refuse);
    CHECK(notice(peer + third + reason) == fate::refuse);
    CHECK(notice(me + peer + reason) == fate::refuse);
    CHECK(notice(peer + me + reason + "\x01") == (operation == down_message ? fate::pass : fate::refuse));
    CHECK(notice(peer + me.substr(0, 20)) == fate::refuse);
  }
  // A reason may carry texts, and no message of other types.
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  auto text = caf::make_error(caf::sec::runtime_error, std::string{"why"});
  REQUIRE(sink.apply(text));
  const auto head = [](const std::string& payload) {
    return frame_head{.operation = down_message, .payload_bytes = static_cast<std::uint32_t>(payload.size())};
  };
  const auto good = peer + me + std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  CHECK(judge(head(good), good, of_node, stranger).what == fate::pass);
  bytes.clear();
  caf::binary_serializer other{nullptr, bytes};
  auto nested = caf::make_error(caf::sec::runtime_error, caf::make_message(std::string{"why"}));
  REQUIRE(other.apply(nested));
  const auto bad = peer + me + std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  CHECK(judge(head(bad), bad, of_node, stranger).what == fate::refuse);
}

TEST_CASE("a handshake names its node in the one form that processes use") {
  using enum frame_place;
  CHECK(handshake_node(peer, first_of_dialler) == peer);
  CHECK(handshake_node(peer + "more", first_of_listener) == peer);
  CHECK_FALSE(handshake_node(peer + "more", first_of_dialler));
  CHECK_FALSE(handshake_node(peer.substr(1), first_of_dialler));
  CHECK_FALSE(handshake_node("", first_of_listener));
  auto uri = peer;
  uri[0] = 0;
  CHECK_FALSE(handshake_node(uri, first_of_dialler));
}

TEST_CASE("what is being received from strangers takes nothing from members") {
  receive_budget budget;
  const auto strangers = receive_budget::share(stranger);
  REQUIRE(budget.take(stranger, strangers));
  CHECK_FALSE(budget.take(stranger, 1));
  const auto members = receive_budget::share(member);
  CHECK_FALSE(budget.take(member, members + 1));
  CHECK(budget.take(member, members));
  CHECK(budget.take(peer_standing::client, receive_budget::share(peer_standing::client)));
  CHECK(members + strangers + receive_budget::share(peer_standing::client) == limits::receive_bytes_max);
  budget.give_back(stranger, 10);
  CHECK_FALSE(budget.take(stranger, 11));
  CHECK(budget.take(stranger, 10));
}

}  // namespace
