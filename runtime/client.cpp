#include "runtime/client.hpp"

#include "actors/ensure.hpp"
#include "actors/io_bound.hpp"
#include "runtime/client_messages.hpp"
#include "runtime/node_host.hpp"
#include "runtime/transport.hpp"
#include "runtime/transport_dial.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

namespace quorate {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds tick_every{10};
constexpr milliseconds handshake_timeout{1'000};
constexpr milliseconds backoff_min{20};
constexpr milliseconds backoff_max{1'000};
constexpr duration suspect_after = std::chrono::seconds{2};  // a connection on which nothing comes

struct request {
  std::string key;
  payload body;
  client::callback done;
};

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// Before any actor system is made.
void know_messages() {
  static std::once_flag once;
  std::call_once(once, [] {
    register_messages();
    transport::register_messages();
  });
}

}  // namespace

/// What the client, its actor and its diallers share.
struct client::shared {
  explicit shared(client_options given) : options(std::move(given)), connected(options.nodes.size()) {}

  const client_options options;
  const std::uint64_t number = random_number();  ///< this client's
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<transport_guard> guard;
  answerer_actor actor;
  std::vector<std::thread> diallers;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<request> fresh;  ///< not seen by the actor yet
  std::vector<bool> connected;
  bool closed = false;

  void set_connected(std::size_t node, bool yes) {
    {
      const std::lock_guard lock{mutex};
      connected[node] = yes;
    }
    changed.notify_all();
  }
};

namespace {

/// Carries out what the core decides.
struct answerer {
  static inline const char* name = "client";

  answerer(answerer_actor::pointer self, client::shared* shared)
      : self_(self), shared_(*shared),
        core_(shared->options.nodes.size(), shared->options.limits, random_number()),
        desks_(shared->options.nodes.size()), attempts_(shared->options.nodes.size()) {}

  answerer_actor::behavior_type make_behavior() {
    self_->set_down_handler([this](caf::down_msg& msg) {
      for (std::size_t node = 0; node < desks_.size(); ++node)
        if (desks_[node] == msg.source) {
          desks_[node] = nullptr;
          core_.lost(node, now());
          carry_out();
          shared_.set_connected(node, false);
        }
    });
    tick();
    return {
        [this](const client_welcome& msg) { welcome(msg); },
        // The dialler tries again: a node may have been configured anew meanwhile.
        [](const client_refusal&) {},
        [this](const client_results& msg) {
          // Outcomes of any boot are true; which node it is matters for its silence only.
          for (std::size_t node = 0; node < desks_.size(); ++node)
            if (desks_[node] && desks_[node] == self_->current_sender())
              core_.on(node, msg.list, now());
          take_fresh();
        },
        [this](const client_dialled& msg) {
          attempts_[msg.attempt % attempts_.size()] = msg.attempt;
          enqueue(msg.door, client_hello{client_wire_version, shared_.options.cluster, shared_.number,
                                         msg.attempt, caf::actor_cast<caf::strong_actor_ptr>(self_)});
        },
        [this](const client_wake&) { take_fresh(); },
    };
  }

private:
  [[nodiscard]] time_point now() const {
    return std::chrono::duration_cast<time_point>(self_->clock().now().time_since_epoch());
  }

  template <class Message>
  void enqueue(const caf::strong_actor_ptr& to, Message&& message) {
    to->enqueue(self_->ctrl(), caf::make_message_id(), caf::make_message(std::forward<Message>(message)),
                self_->context());
  }

  void welcome(const client_welcome& msg) {
    const auto node = msg.attempt % desks_.size();
    if (!msg.desk || attempts_[node] != msg.attempt)
      return;
    if (desks_[node] != msg.desk)
      self_->monitor(caf::actor_cast<caf::actor>(msg.desk));
    desks_[node] = msg.desk;
    core_.connected(node, now());
    carry_out();
    shared_.set_connected(node, true);
  }

  void tick() {
    core_.tick(now());
    carry_out();
    self_->run_delayed(tick_every, [this] { tick(); });
  }

  void take_fresh() {
    carry_out();
    auto closed = false;
    for (;;) {
      std::vector<request> list;
      {
        const std::lock_guard lock{shared_.mutex};
        list.swap(shared_.fresh);
        closed = shared_.closed;
      }
      // A callback may have submitted more.
      if (list.empty())
        break;
      const auto at = now();
      for (auto& r : list) {
        token id{callbacks_.size()};
        if (free_.empty()) {
          callbacks_.push_back(std::move(r.done));
        } else {
          id = free_.back();
          free_.pop_back();
          callbacks_[id.value] = std::move(r.done);
        }
        core_.submit(id, std::move(r.key), std::move(r.body), at);
      }
      carry_out();
    }
    if (closed) {
      core_.close();
      carry_out();
      self_->quit();
    }
  }

  void carry_out() {
    auto todo = core_.take();
    for (auto& c : todo.commands)
      if (desks_[c.node])
        enqueue(desks_[c.node], client_commands{shared_.number, std::move(c.list)});
    for (auto& r : todo.results) {
      const auto done = std::exchange(callbacks_[r.id.value], nullptr);
      free_.push_back(r.id);
      done({r.code, std::move(r.body)});
    }
  }

  answerer_actor::pointer self_;
  client::shared& shared_;
  client_core core_;
  std::vector<caf::strong_actor_ptr> desks_;
  std::vector<std::uint64_t> attempts_;
  std::vector<client::callback> callbacks_;  ///< by token
  std::vector<token> free_;
};

/// Dials one node for ever.
void keep_dialling(client::shared& shared, std::size_t node) {
  const auto& address = shared.options.nodes[node];
  auto attempt = node;
  auto backoff = backoff_min;
  std::unique_lock lock{shared.mutex};
  const auto done = [&] { return shared.closed || shared.connected[node]; };
  while (!shared.closed) {
    if (shared.connected[node]) {
      backoff = backoff_min;
      shared.changed.wait(lock, [&] { return shared.closed || !shared.connected[node]; });
      continue;
    }
    lock.unlock();
    const auto door = dial_door(*shared.system, *shared.guard, address.host, address.port);
    attempt += shared.options.nodes.size();
    if (door)
      caf::anon_send(shared.actor, client_dialled{attempt, door});
    lock.lock();
    shared.changed.wait_for(lock, door ? handshake_timeout : backoff, done);
    backoff = std::min(backoff * 2, backoff_max);
  }
}

}  // namespace

client::client(client_options options) {
  ENSURE(!options.nodes.empty(), "a client must know a node");
  know_messages();
  shared_ = std::make_shared<shared>(std::move(options));
  auto& s = *shared_;
  s.config.set("caf.scheduler.policy", "sharing");
  s.config.set("caf.scheduler.max-threads", 1);
  transport::load(s.config, suspect_after);
  s.system = std::make_unique<caf::actor_system>(s.config);
  s.guard = std::make_shared<transport_guard>(*s.system, transport_side::client, 0,
                                              [](severity, const std::string&) {});
  // On the event loop: outcomes come from there, and commands leave there.
  s.actor =
      s.system->spawn<io_bound<answerer_actor::stateful_impl<answerer>>>(transport::loop(*s.system), &s);
  for (std::size_t node = 0; node < s.options.nodes.size(); ++node)
    s.diallers.emplace_back([&s, node] { keep_dialling(s, node); });
}

client::~client() {
  close();
}

void client::submit(std::string key, payload body, callback done) {
  errc refused = errc::ok;
  {
    const std::lock_guard lock{shared_->mutex};
    if (shared_->closed)
      refused = errc::shutting_down;
    else if (shared_->fresh.size() >= shared_->options.limits.waiting_max)
      refused = errc::overloaded;
    else
      shared_->fresh.push_back({std::move(key), std::move(body), std::move(done)});
    // Whoever found it empty wakes the actor, for all.
    if (refused == errc::ok && shared_->fresh.size() > 1)
      return;
  }
  if (refused != errc::ok)
    done({refused, {}});
  else
    caf::anon_send(shared_->actor, client_wake{});
}

void client::close() {
  auto& s = *shared_;
  {
    const std::lock_guard lock{s.mutex};
    if (s.closed)
      return;
    s.closed = true;
  }
  s.changed.notify_all();
  for (auto& d : s.diallers)
    d.join();
  caf::anon_send(s.actor, client_wake{});
  {
    caf::scoped_actor self{*s.system};
    self->wait_for(s.actor);
  }
  s.actor = nullptr;
  s.guard = nullptr;
  s.system = nullptr;
}

}  // namespace quorate
