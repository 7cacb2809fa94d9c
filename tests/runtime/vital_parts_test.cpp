// A part of a node that ends without having been asked to ends the process.
#include "runtime/vital_parts.hpp"

#include "balancers/registry.hpp"
#include "protocols/registry.hpp"
#include "runtime/machines.hpp"
#include "runtime/node_host.hpp"
#include "runtime/transport.hpp"
#include "sync/registry.hpp"
#include "tests/harness/process/process_cluster.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/local_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

using namespace quorate;
using namespace std::chrono_literals;

constexpr auto patience = 20s;

/// What was said to be fatal.
struct last_words {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> heard;

  [[nodiscard]] auto hear() {
    return [this](const std::string& message) {
      {
        const std::lock_guard lock{mutex};
        heard.push_back(message);
      }
      changed.notify_all();
    };
  }
  bool wait(std::string_view part) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, patience, [&] {
      return std::ranges::any_of(heard, [&](const auto& m) { return m.find(part) != m.npos; });
    });
  }
  std::size_t count() {
    const std::lock_guard lock{mutex};
    return heard.size();
  }
};

/// One node that is a cluster of its own.
struct lone_node {
  lone_node() {
    static const auto registered = [] {
      register_messages();
      transport::register_messages();
      return true;
    }();
    REQUIRE(registered);
    transport::load(config, 120s);
    system = std::make_unique<caf::actor_system>(config);
    links = std::make_shared<quorate::links>(node_id{1}, std::vector{node_id{1}}, 1'000'000);

    transport_setup t;
    t.cluster = "lone";
    t.self = {node_id{1}, "n1", "127.0.0.1", quorate::testing::free_ports(1).at(0)};
    t.disk = disk_id{1};
    t.boot = boot_id{1};
    t.links = links;
    t.log = [](severity, const std::string&) {};
    t.fatal = words.hear();
    network = std::make_unique<transport>(*system, std::move(t));
    REQUIRE_FALSE(network->start());

    node_host_setup h;
    h.node.cluster = "lone";
    h.node.nodes = {{node_id{1}, "n1", disk_id{0}}};
    h.node.self = node_id{1};
    h.node.disk = disk_id{1};
    h.node.boot = boot_id{1};
    h.node.ordering = find_protocol("mencius");
    h.node.catching_up = sync::all_strategies().data();
    auto chosen = choose_balancer("local", {});
    h.node.balancing = std::get<balancers::chosen_policy>(std::move(chosen));
    h.node.machine = "append_log";
    h.node.make_machine = find_machine("append_log")->make;
    h.node.state = state.get();
    h.node.saved = journal.get();
    h.links = links;
    h.target = journal;
    h.kept = {journal, state};
    h.log = [](severity, std::string_view, const std::string&) {};
    h.fatal = words.hear();
    h.replies = [](std::vector<client_reply>) { throw std::runtime_error{"the gateway's exception"}; };
    host = std::make_unique<node_host>(*system, std::move(h));
  }
  ~lone_node() { stop(); }

  void stop() {
    network->stop();
    host->stop();
  }
  [[nodiscard]] caf::strong_actor_ptr find(port role) const {
    for (const auto& [address, handle] : links->own().handles())
      if (address.role == role)
        return handle;
    return nullptr;
  }
  bool await(port role) const {
    for (const auto until = std::chrono::steady_clock::now() + patience;
         std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(5ms))
      if (find(role))
        return true;
    return false;
  }
  /// The peer handshake actor: what is published is registered, a little later.
  [[nodiscard]] caf::strong_actor_ptr handshake() const {
    for (const auto until = std::chrono::steady_clock::now() + patience;
         std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(5ms))
      for (caf::actor_id id = 1; id < 200; ++id)
        if (auto found = system->registry().get(id))
          if (const auto* local = dynamic_cast<caf::local_actor*>(found->get());
              local && std::string_view{local->name()} == "door")
            return found;
    return nullptr;
  }

  last_words words;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<memory_journal> journal = std::make_shared<memory_journal>();
  std::shared_ptr<memory_store> state = std::make_shared<memory_store>();
  std::shared_ptr<quorate::links> links;
  std::unique_ptr<transport> network;
  std::unique_ptr<node_host> host;
};

void kill(const caf::strong_actor_ptr& part) {
  REQUIRE(part);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(part), caf::exit_reason::kill);
}

TEST_CASE("a role that ends without having been asked to is fatal, with its name") {
  for (const auto role : {port::node, port::gateway, port::desk, port::edge, port::replica, port::reader,
                          port::sync, port::founding, port::membership, port::balancer, port::proposer,
                          port::acceptor, port::learner}) {
    CAPTURE(to_string(role));
    lone_node n;
    REQUIRE(n.await(port::learner));
    CHECK(n.words.count() == 0);
    kill(n.find(role));
    CHECK(n.words.wait(std::string{to_string(role)} + (role == port::node ? "" : " g0 e0") +
                       " has ended, which nobody has asked for: "));
  }
}

TEST_CASE("so is the peer handshake actor") {
  lone_node n;
  kill(n.handshake());
  CHECK(n.words.wait("peer handshake has ended, which nobody has asked for: "));
}

TEST_CASE("an exception in a part is an end of it") {
  lone_node n;
  REQUIRE(n.await(port::learner));
  caf::anon_send(caf::actor_cast<caf::actor>(n.find(port::gateway)), origin{}, client_replies{});
  CHECK(n.words.wait("gateway g0 e0 has ended, which nobody has asked for: "));
}

TEST_CASE("a node that is told to stop says nothing of its parts") {
  lone_node n;
  REQUIRE(n.await(port::learner));
  n.stop();
  CHECK(n.words.count() == 0);
}

}  // namespace
