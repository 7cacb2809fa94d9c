// Whatever comes to the port that is meant for other nodes, a node goes on serving, in bounded memory, and
// says once what it refuses.

#include "tests/harness/process/healing.hpp"
#include "tests/harness/process/plain_socket.hpp"

#include <doctest/doctest.h>

#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/exit_reason.hpp>
#include <caf/node_id.hpp>
#include <caf/system_messages.hpp>
#include <caf/type_id.hpp>

#include <fstream>
#include <random>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t growth_max = 64ULL << 20;

constexpr std::uint64_t nobody_answers = 0x1000'0000'0000'0000;  // CAF's number of such a message

template <class UInt>
std::string big(UInt value) {
  std::string out;
  for (std::size_t i = sizeof(UInt); i-- > 0;)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
  return out;
}

/// The head of a frame between nodes, as CAF writes it.
std::string frame(std::uint8_t operation, std::uint32_t payload_bytes, std::uint64_t destination = 0,
                  std::uint64_t source = 0, std::uint8_t flags = 0, std::uint64_t data = 0) {
  return big(operation) + std::string(2, '\0') + big(flags) + big(payload_bytes) + big(data) + big(source) +
         big(destination);
}
std::string message_to(std::uint64_t destination, const std::string& payload, std::uint8_t flags = 0) {
  return frame(2, static_cast<std::uint32_t>(payload.size()), destination, 0, flags, nobody_answers) + payload;
}

/// `exit_msg{nobody, kill}`, and what it ends with: also the end of a down frame.
std::string killed() {
  return std::string{1, '\1'} + big(static_cast<std::uint8_t>(caf::exit_reason::kill)) +
         big(caf::type_id_v<caf::exit_reason>) + '\0';
}
std::string exit_message() {
  return std::string{'\0', '\1'} + big(caf::type_id_v<caf::exit_msg>) + std::string(8, '\0') + '\xff' + killed();
}

/// The node id with which a node shakes hands.
std::string node_at(std::uint16_t port) {
  plain_socket socket{port};
  const auto said = socket.receive(300ms);
  REQUIRE(said.size() > 32 + 25);
  return said.substr(32, 25);
}

/// What a node says first when it dials.
std::string handshake(std::uint32_t process) {
  const auto id = caf::make_node_id(process, "0011223344556677889900112233445566778899");
  REQUIRE(id);
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  REQUIRE(sink.apply(*id));
  return frame(1, static_cast<std::uint32_t>(bytes.size())) +
         std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string handshake_of(const std::string& node) {
  return frame(1, static_cast<std::uint32_t>(node.size())) + node;
}

/// A cluster whose node 2 is bothered.
struct bothered {
  process_cluster cluster;
  http_client client = cluster.client(2);
  std::size_t resident = 0;
  std::uint64_t appends = 0;

  void start() {
    REQUIRE(cluster.start());
    append();
    resident = cluster.memory_of(2).resident;
    REQUIRE(resident > 0);
  }
  [[nodiscard]] plain_socket connect() const { return plain_socket{cluster.peer_port(2)}; }
  void append() {
    const auto reply = client.post("/append_log", append_text("k", std::to_string(appends)));
    REQUIRE(reply);
    INFO(reply->body);
    REQUIRE(reply->status == 200);
    REQUIRE(parse_append_answer(reply->body) == appends++);
  }
  /// \post it serves, has not grown much, and has said `line` once.
  void expect_said_once(std::string_view line) {
    append();
    CHECK(cluster.memory_of(2).peak < resident + growth_max);
    REQUIRE(cluster.wait_log(2, line));
    CHECK(cluster.log_lines(2, line).size() == 1);
    CHECK(cluster.log_lines(2, "lost the connection").empty());
    REQUIRE(cluster.wait_all_healthy());
    REQUIRE(cluster.trouble() == "");
  }
};

TEST_CASE("random bytes on the port of the nodes are refused in one line") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  std::mt19937_64 random{11};
  for (int i = 0; i < 300; ++i) {
    std::string noise(1 + random() % 3'000, '\0');
    for (auto& c : noise)
      c = static_cast<char>(random());
    // Every operation comes up as the first byte.
    noise[0] = static_cast<char>(i % 9);
    auto socket = b.connect();
    REQUIRE(socket.connected());
    socket.send(noise);
    if (i % 30 == 0) {
      b.append();
      CHECK((noise.size() < 32 || socket.closed_within(5s)));
    }
  }
  b.expect_said_once("refuses a connection of 127.0.0.1: what it says first is not a node's handshake");
}

TEST_CASE("a frame's head that announces too much is refused before it gets its memory") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  SUBCASE("4 GiB of handshake") {
    auto socket = b.connect();
    CHECK(socket.send(frame(1, 0xffff'ffff)));
    CHECK(socket.closed_within(5s));
    b.expect_said_once("it announces a frame of 4294967295 bytes, and at most 16384 are taken");
  }
  SUBCASE("4 GiB of message behind a good handshake") {
    auto socket = b.connect();
    CHECK(socket.send(handshake(7) + frame(2, 0xffff'ffff, 1)));
    CHECK(socket.closed_within(5s));
    b.expect_said_once("it announces a frame of 4294967295 bytes, and at most 134217728 are taken");
  }
  SUBCASE("as much as is allowed, which never comes") {
    std::vector<plain_socket> sockets;
    for (std::uint32_t i = 0; i < 10; ++i) {
      sockets.push_back(b.connect());
      CHECK(sockets.back().send(handshake(i + 1) + frame(2, 128U << 20, 1) + std::string(1'000, 'x')));
    }
    b.append();
    // Ended since it has not been heard for so long.
    for (auto& socket : sockets)
      CHECK(socket.closed_within(15s));
    b.append();
    CHECK(b.cluster.memory_of(2).peak < b.resident + growth_max);
    REQUIRE(b.cluster.trouble() == "");
  }
}

TEST_CASE("frames that would make CAF read what is not there are refused") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  SUBCASE("a handshake of nothing") {
    for (const auto operation : {0, 1}) {
      auto socket = b.connect();
      CHECK(socket.send(frame(static_cast<std::uint8_t>(operation), 0)));
      CHECK(socket.closed_within(5s));
    }
    b.expect_said_once("what it says first is not a node's handshake");
  }
  SUBCASE("a message before the handshake") {
    auto socket = b.connect();
    CHECK(socket.send(frame(2, 8, 1) + "12345678"));
    CHECK(socket.closed_within(5s));
    b.expect_said_once("what it says first is not a node's handshake");
  }
  SUBCASE("a second handshake of nothing") {
    auto socket = b.connect();
    auto second = frame(0, 0);
    second[15] = 1;  // a version
    CHECK(socket.send(handshake(8) + second));
    CHECK(socket.closed_within(5s));
    b.expect_said_once("it sends a frame that no node sends");
  }
  SUBCASE("a handshake that cannot be read") {
    auto socket = b.connect();
    CHECK(socket.send(frame(1, 3) + "\x01\x01\x01"));
    CHECK(socket.closed_within(5s));
    b.expect_said_once("its handshake cannot be read");
  }
}

TEST_CASE("who shakes hands cannot end a node's actors, nor speak for others") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  const auto own = node_at(b.cluster.peer_port(2));
  const auto third = node_at(b.cluster.peer_port(3));
  const auto stranger = handshake(7).substr(32);
  const auto bother = [&](const std::string& shake, const std::string& frames, const std::string& line) {
    auto socket = b.connect();
    socket.send(shake + frames);
    CHECK(socket.closed_within(5s));
    b.expect_said_once("refuses a connection of 127.0.0.1: " + line);
  };
  SUBCASE("exit messages to every number") {
    for (std::uint64_t actor = 1; actor < 100; ++actor) {
      auto socket = b.connect();
      socket.send(handshake(7) + message_to(actor, exit_message()));
      CHECK(socket.closed_within(5s));
    }
    b.expect_said_once("it sends a message caf::exit_msg, which no node sends");
  }
  SUBCASE("down frames in another node's name") {
    std::string frames;
    for (std::uint64_t actor = 1; actor <= 300; ++actor)
      frames += frame(5, static_cast<std::uint32_t>((third + own + killed()).size()), 0, actor) + third + own +
                killed();
    bother(handshake(7), frames, "it speaks for another node than the one it began as");
  }
  SUBCASE("a handshake in another node's name") {
    bother(handshake_of(third), "", "it says that it is a node that is connected already");
  }
  SUBCASE("a handshake in the node's own name") {
    bother(handshake_of(own), "", "it says that it is a node that is connected already");
  }
  SUBCASE("monitoring for another node") {
    bother(handshake(7), frame(4, 50, 3) + third + own, "it speaks for another node than the one it began as");
  }
  SUBCASE("a second handshake") {
    bother(handshake(7), handshake(8), "it sends a frame that no node sends");
  }
  SUBCASE("a frame that is to be routed on") {
    const auto payload = stranger + third + exit_message();
    bother(handshake(7), frame(3, static_cast<std::uint32_t>(payload.size()), 3, 0, 0, nobody_answers) + payload,
           "it sends a frame that no node sends");
  }
  SUBCASE("a message that is to be forwarded") {
    const auto payload = std::string{'\1'} + big(std::uint64_t{3}) + third + exit_message().substr(1);
    bother(handshake(7), message_to(3, payload), "it sends a message that is to be forwarded");
  }
  SUBCASE("a message to CAF's server for spawning is nothing to complain about") {
    auto socket = b.connect();
    CHECK(socket.send(handshake(7) + message_to(2, exit_message(), 1) + frame(6, 0)));
    CHECK_FALSE(socket.closed_within(500ms));
    CHECK(b.cluster.log_lines(2, "refuses").empty());
    b.append();
    REQUIRE(b.cluster.trouble() == "");
  }
}

TEST_CASE("a long frame that takes longer than `suspect` to arrive is taken while its bytes flow") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  auto socket = b.connect();
  // 1.5 MB at 0.5 MB/s; the default `suspect` is one second.
  REQUIRE(socket.send(handshake(7) + frame(6, 0) + frame(2, 1'500'000, 1)));
  for (int i = 0; i < 60; ++i) {
    REQUIRE(socket.send(std::string(25'000, '\0')));
    std::this_thread::sleep_for(50ms);
  }
  CHECK(socket.send(frame(6, 0)));
  CHECK_FALSE(socket.closed_within(500ms));
  CHECK(b.cluster.log_lines(2, "refuses").empty());
  b.append();
  CHECK(b.cluster.memory_of(2).peak < b.resident + growth_max);
  REQUIRE(b.cluster.trouble() == "");
}

TEST_CASE("messages that are noise, from somebody who knows how to shake hands, do no harm") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  std::mt19937_64 random{12};
  for (std::uint32_t i = 0; i < 100; ++i) {
    auto socket = b.connect();
    auto bytes = handshake(100 + i);
    for (int k = 0; k < 20; ++k) {
      std::string noise(1 + random() % 200, '\0');
      for (auto& c : noise)
        c = static_cast<char>(random() % 4 == 0 ? random() : 0);
      // To actors that may or may not exist.
      bytes += message_to(1 + random() % 40, noise);
    }
    socket.send(bytes);
  }
  b.append();
  CHECK(b.cluster.memory_of(2).peak < b.resident + growth_max);
  REQUIRE(b.cluster.wait_all_healthy());
  REQUIRE(b.cluster.trouble() == "");
}

TEST_CASE("500 connections that say nothing, or half a head, are ended, and no node is kept out by them") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  std::vector<plain_socket> sockets;
  for (int i = 0; i < 500; ++i) {
    sockets.push_back(b.connect());
    REQUIRE(sockets.back().connected());
    if (i % 2 == 1)
      sockets.back().send(frame(1, 40).substr(0, 16));
  }
  b.append();
  // Node 1 dials node 2; it has to get through while newcomers press behind it.
  b.cluster.kill9(1);
  b.cluster.launch(1);
  for (int i = 0; i < 100; ++i)
    sockets.push_back(b.connect());
  REQUIRE(b.cluster.wait_healthy(1));
  std::size_t ended = 0;
  while (ended < sockets.size() && sockets[ended].closed_within(10s))
    ++ended;
  REQUIRE(ended == sockets.size());
  b.append();
  CHECK(b.cluster.memory_of(2).peak < b.resident + growth_max);
  CHECK(b.cluster.log_lines(2, "it has not shaken hands in time").size() == 1);
  CHECK(b.cluster.log_lines(2, "too many connections have not shaken hands").size() == 1);
  REQUIRE(b.cluster.wait_all_healthy());
  REQUIRE(b.cluster.trouble() == "");
}

TEST_CASE("a node of another cluster is refused by name") {
  bothered b;
  INFO(b.cluster.report());
  b.start();
  process_cluster foreign;
  INFO(foreign.report());
  auto spec = file_text(foreign.spec());
  const auto replace = [&](const std::string& what, const std::string& by) {
    const auto at = spec.find(what);
    REQUIRE(at != spec.npos);
    spec.replace(at, what.size(), by);
  };
  replace("\"processes\"", "\"strangers\"");
  replace("port = " + std::to_string(foreign.peer_port(2)),
          "port = " + std::to_string(b.cluster.peer_port(2)));
  std::ofstream{foreign.spec()} << spec;
  foreign.launch(1);
  REQUIRE(foreign.wait_log(1, "serves clients"));
  const std::string line =
      R"(refuses a connection of "n1": it belongs to cluster "strangers", and this node to "processes")";
  REQUIRE(b.cluster.wait_log(2, line));
  std::this_thread::sleep_for(3s);  // it dials again and again
  CHECK_FALSE(foreign.healthy(1));
  b.expect_said_once(line);
}

TEST_CASE("a data directory that was put back from an old copy does not vote") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  const auto copy = cluster.directory() / "copy";
  const auto restart = [&] {
    REQUIRE(cluster.stop(1));
    cluster.launch(1);
    REQUIRE(cluster.wait_healthy(1));
  };
  REQUIRE(cluster.stop(1));
  fs::copy(cluster.data(1), copy, fs::copy_options::recursive);
  cluster.launch(1);
  REQUIRE(cluster.wait_healthy(1));
  restart();
  auto n2 = cluster.client(2);
  for (int i = 0; i < 20; ++i) {
    const auto reply = n2.post("/append_log", append_text("k", std::to_string(i)));
    REQUIRE(reply);
    REQUIRE(reply->status == 200);
  }
  REQUIRE(cluster.stop(1));
  fs::remove_all(cluster.data(1));
  fs::copy(copy, cluster.data(1), fs::copy_options::recursive);
  cluster.launch(1);
  const std::string line =
      R"(refuses a connection of "n1": this is start 2 of its data directory, and start 3)";
  REQUIRE(cluster.wait_log(2, line));
  REQUIRE(cluster.wait_log(3, line));
  std::this_thread::sleep_for(3s);
  CHECK(cluster.log_lines(2, line).size() == 1);
  CHECK_FALSE(cluster.healthy(1));
  const auto reply = n2.post("/append_log", append_text("k", "without it"));
  REQUIRE(reply);
  CHECK(reply->status == 200);
  REQUIRE(cluster.trouble() == "");
}

}  // namespace
