// Connections that break and come back, in CAF's network layer.

#include "runtime/transport.hpp"

#include "actors/shell.hpp"
#include "runtime/listening_socket.hpp"
#include "runtime/node_host.hpp"
#include "runtime/transport_dial.hpp"
#include "runtime/transport_guard.hpp"
#include "runtime/transport_messages.hpp"
#include "runtime/transport_probe.hpp"
#include "tests/harness/process/plain_socket.hpp"
#include "tests/harness/process/process_cluster.hpp"

#include <doctest/doctest.h>

#include <caf/actor_proxy.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

using namespace quorate;
using quorate::testing::plain_socket;
using namespace std::chrono_literals;

constexpr auto patience = 20s;

/// What an actor has heard, and who has introduced themselves to it.
struct ear {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> heard;
  std::vector<caf::strong_actor_ptr> guests;
  std::size_t gone = 0;

  template <class Done>
  bool wait(Done done) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, patience, [&] { return done(*this); });
  }
  template <class Change>
  void change(Change how) {
    {
      std::lock_guard lock{mutex};
      how(*this);
    }
    changed.notify_all();
  }
};

/// What one says to another: of the messages that a node takes from strangers, one with a text and a handle.
door_hello saying(const std::string& text) {
  door_hello out;
  out.name = text;
  return out;
}
door_hello introducing(const caf::strong_actor_ptr& guest) {
  door_hello out;
  out.door = guest;
  return out;
}
/// What one role says to another.
submission told(const std::string& text) {
  command out;
  out.body = payload{text};
  return {{out}};
}

caf::behavior listen(caf::event_based_actor* self, const std::shared_ptr<ear>& to) {
  self->set_down_handler([to](const caf::down_msg&) { to->change([](ear& e) { ++e.gone; }); });
  return {
      [to](const std::string& text) { to->change([&](ear& e) { e.heard.push_back(text); }); },
      [to](const door_hello& msg) {
        to->change([&](ear& e) {
          if (msg.door)
            e.guests.push_back(msg.door);
          else
            e.heard.push_back(msg.name);
        });
      },
      [to](const origin&, const submission& msg) {
        to->change([&](ear& e) { e.heard.emplace_back(msg.commands.at(0).body.view()); });
      },
      [self](bool, const caf::strong_actor_ptr& whom) { self->monitor(caf::actor_cast<caf::actor>(whom)); },
  };
}

struct system_of_its_own {
  system_of_its_own() {
    static const auto registered = [] {
      register_messages();
      transport::register_messages();
      return true;
    }();
    REQUIRE(registered);
    config.set("caf.scheduler.policy", "sharing");
    config.set("caf.scheduler.max-threads", 1);
    // No heartbeat of CAF's comes in between.
    transport::load(config, 120s);
    system = std::make_unique<caf::actor_system>(config);
  }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
};

/// Holds the network thread of a guard up, in the middle of a complaint.
struct gate_of_complaints {
  std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;
  bool reached = false;

  void pass() {
    std::unique_lock lock{mutex};
    reached = closed;
    changed.notify_all();
    changed.wait_for(lock, patience, [&] { return !closed; });
  }
  bool await_reached() {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, patience, [&] { return reached; });
  }
  void set(bool now_closed) {
    {
      std::lock_guard lock{mutex};
      closed = now_closed;
      reached = false;
    }
    changed.notify_all();
  }
};

/// An actor system with a guard and one actor.
struct party : system_of_its_own {
  party() {
    actor = caf::actor_cast<caf::strong_actor_ptr>(system->spawn(listen, own));
    guard = std::make_shared<transport_guard>(*system, transport_side::node, 16,
                                              [this](severity, const std::string&) { complaints.pass(); });
    guard->introduce_with(actor);
  }
  ~party() {
    for (const auto fd : sockets)
      ::close(fd);
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
  }

  void publish() {
    auto socket = listening_socket::open("127.0.0.1", 0, "tests");
    REQUIRE(std::holds_alternative<listening_socket>(socket));
    port = guard->publish(actor, {}, std::get<listening_socket>(socket).release());
    REQUIRE(port != 0);
  }
  void say_to(const caf::strong_actor_ptr& whom, const std::string& text) {
    caf::anon_send(caf::actor_cast<caf::actor>(whom), saying(text));
  }

  /// A connection of which a second number stays here.
  int connect(const party& host) {
    const auto fd = connect_to("127.0.0.1", host.port, 5s);
    REQUIRE(fd >= 0);
    sockets.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return fd;
  }
  [[nodiscard]] bool has_sent() const {
    tcp_info info{};
    socklen_t size = sizeof(info);
    return ::getsockopt(sockets.back(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_data_segs_out > 0;
  }
  void shake_hands(int fd, const party& host) {
    std::set<std::string> interface;
    door = guard->shake_hands(fd, host.port, patience, interface);
  }
  /// Hands the host this party's actor.
  void introduce_to(party& host) {
    REQUIRE(door);
    caf::anon_send(caf::actor_cast<caf::actor>(actor), true, door);
    const auto before = host.guests().size();
    caf::anon_send(caf::actor_cast<caf::actor>(door), introducing(actor));
    REQUIRE(host.own->wait([&](const ear& e) { return e.guests.size() > before; }));
  }
  std::vector<caf::strong_actor_ptr> guests() {
    std::lock_guard lock{own->mutex};
    return own->guests;
  }

  std::shared_ptr<ear> own = std::make_shared<ear>();
  gate_of_complaints complaints;
  std::shared_ptr<transport_guard> guard;
  caf::strong_actor_ptr actor;
  caf::strong_actor_ptr door;  ///< the host's
  std::vector<int> sockets;
  std::uint16_t port = 0;
};

/// The head of a first frame that is too long for a handshake, each time by another length.
std::string too_long(std::uint8_t more) {
  std::string out(32, '\0');
  out[0] = 1;
  out[4] = 1;
  out[7] = static_cast<char>(more);
  return out;
}

/// The number of a socket that is closed goes to the next one, if none below it is free.
class no_holes {
public:
  no_holes() {
    for (auto& fd : held_)
      fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  ~no_holes() {
    for (const auto fd : held_)
      ::close(fd);
  }
  no_holes(const no_holes&) = delete;
  no_holes& operator=(const no_holes&) = delete;

private:
  std::array<int, 64> held_{};
};

/// While the host's network thread is held up, `old` leaves and `next` comes and gets the number of old's
/// socket. With `busy`, the host's broker has much before it gets to hear that `old` has left.
void replace(party& host, party& old, party& next, bool busy) {
  static std::uint8_t round = 0;
  host.complaints.set(true);
  plain_socket stranger{host.port};
  REQUIRE(stranger.send(too_long(++round)));
  REQUIRE(host.complaints.await_reached());
  ::shutdown(old.sockets.back(), SHUT_RDWR);
  REQUIRE(old.own->wait([](const ear& e) { return e.gone > 0; }));
  const no_holes full;
  // The old socket is closed after one more has been accepted.
  const plain_socket between{host.port};
  const auto fd = next.connect(host);
  std::thread shaking{[&] { next.shake_hands(fd, host); }};
  while (!next.has_sent())
    std::this_thread::sleep_for(1ms);
  for (auto i = 0; busy && i < 200; ++i)
    host.guard->sweep();
  if (busy)
    host.say_to(host.guests().back(), "who has left");
  host.complaints.set(false);
  shaking.join();
  next.introduce_to(host);
}

TEST_CASE("what is meant for a node that has gone reaches no other") {
  party host;
  host.publish();
  party a;
  party b;
  party c;
  // Otherwise a message that goes astray would not be noticed.
  REQUIRE(b.actor->id() == c.actor->id());
  a.shake_hands(a.connect(host), host);
  a.introduce_to(host);
  replace(host, a, b, true);
  replace(host, b, c, false);
  const auto guests = host.guests();
  REQUIRE(guests.size() == 3);
  host.say_to(guests[1], "for b");
  host.say_to(guests[2], "for c");
  // Both would come over the same connection, so that what went astray comes first.
  CHECK(c.own->wait([](const ear& e) { return !e.heard.empty() && e.heard.back() == "for c"; }));
  CHECK(c.own->wait([](const ear& e) { return e.heard.size() == 1; }));
}

/// A node of which only the transport runs, with one role.
struct bare_node : system_of_its_own {
  static constexpr role_address place{group_id{0}, epoch_id{0}, port::membership};

  bare_node(const std::vector<transport_peer>& all, std::size_t self) {
    std::vector<node_id> ids;
    transport_setup t;
    for (const auto& p : all) {
      ids.push_back(p.id);
      if (p.id != all[self].id)
        t.others.push_back(p);
    }
    links = std::make_shared<quorate::links>(all[self].id, ids, 1'000'000);
    t.cluster = "bare";
    t.self = all[self];
    t.disk = disk_id{self + 1};
    t.boot = boot_id{1};
    t.links = links;
    t.log = [](severity, const std::string&) {};
    network = std::make_unique<transport>(*system, std::move(t));
    role = caf::actor_cast<caf::strong_actor_ptr>(system->spawn(listen, own));
    network->published(place, role);
    REQUIRE_FALSE(network->start());
  }
  ~bare_node() {
    network->stop();
    caf::anon_send_exit(caf::actor_cast<caf::actor>(role), caf::exit_reason::user_shutdown);
  }

  /// Says it to the other node's role until it is heard, or patience ends.
  bool reaches(const bare_node& other, node_id id, const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      if (const auto there = links->find(id)->find(place))
        caf::anon_send(caf::actor_cast<caf::actor>(there), origin{}, told(text));
      std::unique_lock lock{other.own->mutex};
      if (other.own->changed.wait_for(
              lock, 50ms, [&] { return !other.own->heard.empty() && other.own->heard.back() == text; }))
        return true;
    }
    return false;
  }

  std::shared_ptr<quorate::links> links;
  std::shared_ptr<ear> own = std::make_shared<ear>();
  std::unique_ptr<transport> network;
  caf::strong_actor_ptr role;
};

TEST_CASE("a node finds another's role again after CAF has forgotten it without a word") {
  const auto ports = quorate::testing::free_ports(2);
  REQUIRE(ports.size() == 2);
  const std::vector<transport_peer> all{{node_id{1}, "n1", "127.0.0.1", ports[0]},
                                        {node_id{2}, "n2", "127.0.0.1", ports[1]}};
  bare_node one{all, 0};
  bare_node two{all, 1};
  REQUIRE(one.reaches(two, node_id{2}, "at first"));
  REQUIRE(two.reaches(one, node_id{1}, "at first"));
  for (auto* node : {&one, &two}) {
    const auto other = node == &one ? node_id{2} : node_id{1};
    const auto there = node->links->find(other)->find(bare_node::place);
    REQUIRE(there);
    // As CAF does itself when it clears away what an earlier connection has left.
    static_cast<caf::actor_proxy*>(there->get())
        ->kill_proxy(nullptr, caf::exit_reason::remote_link_unreachable);
  }
  CHECK(one.reaches(two, node_id{2}, "again"));
  CHECK(two.reaches(one, node_id{1}, "again"));
}

TEST_CASE("long messages come whole and in their order, and a short one does not wait behind them") {
  const auto ports = quorate::testing::free_ports(2);
  const std::vector<transport_peer> peers{{node_id{1}, "a", "127.0.0.1", ports[0]},
                                          {node_id{2}, "b", "127.0.0.1", ports[1]}};
  bare_node a{peers, 0};
  bare_node b{peers, 1};
  REQUIRE(a.reaches(b, node_id{2}, "hello"));
  const auto there = caf::actor_cast<caf::actor>(a.links->find(node_id{2})->find(bare_node::place));
  constexpr std::size_t count = 12;
  const auto text_of = [](std::size_t i) {
    return std::string(1'000'000 + i * 12'345, static_cast<char>('a' + i));
  };
  for (std::size_t i = 0; i < count; ++i)
    caf::anon_send(there, origin{}, told(text_of(i)));
  caf::anon_send(there, origin{}, told("short"));
  std::vector<std::string> heard;
  REQUIRE(b.own->wait([&](const ear& e) {
    heard = e.heard;
    std::erase(heard, "hello");  // it may have been said several times
    return heard.size() == count + 1;
  }));
  CHECK(heard.back() != "short");
  std::erase(heard, "short");
  REQUIRE(heard.size() == count);
  for (std::size_t i = 0; i < count; ++i)
    CHECK(heard[i] == text_of(i));
}

TEST_CASE("an actor outlives strange messages and others' errors, and answers neither") {
  system_of_its_own place;
  const auto own = std::make_shared<ear>();
  const auto actor = place.system->spawn([own](caf::event_based_actor* self) {
    drop_what_is_strange(self);
    return listen(self, own);
  });
  const auto answers = std::make_shared<ear>();
  const auto stranger = place.system->spawn([answers](caf::event_based_actor* self) {
    self->set_default_handler([answers](caf::scheduled_actor*, caf::message&) -> caf::skippable_result {
      answers->change([](ear& e) { e.heard.emplace_back("an answer"); });
      return caf::message{};
    });
    self->set_error_handler([answers](caf::scheduled_actor*, caf::error&) {
      answers->change([](ear& e) { e.heard.emplace_back("an error"); });
    });
    return listen(self, answers);
  });
  const auto send = [](const caf::actor& from, const caf::actor& to, caf::message what) {
    to->enqueue(caf::actor_cast<caf::strong_actor_ptr>(from), caf::make_message_id(), std::move(what),
                nullptr);
  };
  send(stranger, actor, caf::make_message(std::uint64_t{1}));
  send(stranger, actor, caf::make_message(caf::make_error(caf::sec::unexpected_message)));
  send(stranger, actor, caf::make_message(std::string{"alive"}));
  CHECK(own->wait([](const ear& e) { return !e.heard.empty(); }));
  // Behind whatever the actor has answered by now.
  send(actor, stranger, caf::make_message(std::string{"done"}));
  CHECK(answers->wait([](const ear& e) { return !e.heard.empty() && e.heard.back() == "done"; }));
  CHECK(answers->wait([](const ear& e) { return e.heard.size() == 1; }));
  for (const auto& a : {actor, stranger})
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

}  // namespace
