#include "runtime/transport_guard.hpp"

#include "runtime/transport_scribe.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/io/abstract_broker.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace quorate {

namespace network = caf::io::network;

namespace {

constexpr std::size_t complaints_max = 256;  // different ones remembered, so that nobody fills our memory

network::default_multiplexer& multiplexer_of(caf::actor_system& system) {
  return dynamic_cast<network::default_multiplexer&>(system.middleman().backend());
}

caf::actor basp_of(caf::actor_system& system) {
  return system.middleman().get_named_broker("BASP");
}

}  // namespace

/// Accepts connections of other nodes.
class guarded_doorman final : public network::doorman_impl {
public:
  guarded_doorman(network::default_multiplexer& multiplexer, int socket,
                  std::shared_ptr<transport_guard> guard)
      : doorman_impl(multiplexer, socket), guard_(std::move(guard)) {}

  bool new_connection() override {
    if (detached())
      return false;
    auto& multiplexer = acceptor_.backend();
    const auto socket = acceptor_.accepted_socket();
    static_cast<void>(network::keepalive(socket, true));
    auto scribe =
        caf::make_counted<guarded_scribe>(multiplexer, socket, guard_, guarded_scribe::origin::accepted);
    guard_->arrived(scribe);
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&multiplexer, handle);
  }

private:
  const std::shared_ptr<transport_guard> guard_;
};

transport_guard::transport_guard(caf::actor_system& system, transport_side side, std::size_t connections_max,
                                 log_function log)
    : system_(system), side_(side), self_(wire_text(system.node())), connections_max_(connections_max),
      log_(std::move(log)) {}

transport_guard::~transport_guard() = default;

std::uint16_t transport_guard::publish(const caf::strong_actor_ptr& door,
                                       const std::set<std::string>& signatures, int socket) {
  caf::io::doorman_ptr doorman =
      caf::make_counted<guarded_doorman>(multiplexer_of(system_), socket, shared_from_this());
  const auto bound = doorman->port();
  introduce_with(door);
  caf::anon_send(basp_of(system_), caf::publish_atom_v, std::move(doorman), bound, door, signatures);
  return bound;
}

caf::strong_actor_ptr transport_guard::shake_hands(int socket, std::uint16_t port,
                                                   std::chrono::milliseconds within,
                                                   std::set<std::string>& interface) {
  static_cast<void>(network::keepalive(socket, true));
  caf::io::scribe_ptr scribe = caf::make_counted<guarded_scribe>(
      multiplexer_of(system_), socket, shared_from_this(), guarded_scribe::origin::dialled);
  caf::strong_actor_ptr result;
  caf::scoped_actor self{system_};
  // CAF's own way to dial waits for ever; a frozen peer must not hold up our stopping.
  self->request(basp_of(system_), within, caf::connect_atom_v, std::move(scribe), port)
      .receive(
          [&](const caf::node_id&, caf::strong_actor_ptr& door, std::set<std::string>& signatures) {
            result = std::move(door);
            interface = std::move(signatures);
          },
          [](const caf::error&) {});
  return result;
}

void transport_guard::introduce_with(const caf::strong_actor_ptr& door) {
  handshake_ = door->id();
}

std::shared_ptr<const connection_account> transport_guard::vouch(const caf::node_id& node,
                                                                 peer_standing standing) {
  const std::lock_guard lock{mutex_};
  if (const auto found = speakers_.find(wire_text(node)); found != speakers_.end())
    if (const auto who = found->second.lock()) {
      who->standing = standing;
      return who->account;
    }
  return nullptr;
}

void transport_guard::sweep() {
  if (silent_count_ == 0)
    return;
  system_.middleman().backend().post(
      [self = shared_from_this()] { self->drop_silent(clock::now() - handshake_within); });
}

void transport_guard::arrived(scribe_handle scribe) {
  if (silent_.size() >= silent_max) {
    const auto oldest = silent_.front();
    complain(oldest->address(), "too many connections have not shaken hands, and it was the first of them");
    forget(*oldest);
    oldest->end();
  }
  scribe->state = guarded_scribe::admission::silent;
  silent_.push_back(std::move(scribe));
  silent_count_ = silent_.size();
}

void transport_guard::forget(guarded_scribe& scribe) {
  if (scribe.state == guarded_scribe::admission::silent) {
    silent_.remove_if([&](const auto& s) { return s.get() == &scribe; });
    silent_count_ = silent_.size();
  } else if (scribe.state == guarded_scribe::admission::admitted) {
    --admitted_;
  }
  scribe.state = guarded_scribe::admission::gone;
}

std::shared_ptr<transport_guard::speaker> transport_guard::speaks(const std::string& node) {
  auto made = std::make_shared<speaker>();
  caf::binary_deserializer source{nullptr, node.data(), node.size()};
  static_cast<void>(source.apply(made->node));
  const std::lock_guard lock{mutex_};
  // A second connection that we have dialled ourselves: CAF ends it at once.
  if (auto& known = speakers_[node]; known.expired())
    known = made;
  return made;
}

void transport_guard::silence(const std::string& node, const speaker& who) {
  const std::lock_guard lock{mutex_};
  const auto found = speakers_.find(node);
  if (found != speakers_.end() && found->second.lock().get() == &who)
    speakers_.erase(found);
}

bool transport_guard::is_connected(caf::io::abstract_broker* broker, const std::string& node) {
  {
    const std::lock_guard lock{mutex_};
    if (speakers_.contains(node))
      return true;
  }
  // CAF may forget an earlier connection later than we do.
  caf::node_id id;
  caf::binary_deserializer source{nullptr, node.data(), node.size()};
  auto* basp = dynamic_cast<caf::io::basp_broker*>(broker);
  return basp != nullptr && source.apply(id) && basp->instance.tbl().lookup_direct(id);
}

bool transport_guard::admit(guarded_scribe& scribe) {
  if (admitted_ >= connections_max_)
    return false;
  forget(scribe);
  scribe.state = guarded_scribe::admission::admitted;
  ++admitted_;
  return true;
}

void transport_guard::drop_silent(clock::time_point before) {
  while (!silent_.empty() && silent_.front()->since() < before) {
    const auto oldest = silent_.front();
    complain(oldest->address(), "it has not shaken hands in time");
    forget(*oldest);
    oldest->end();
  }
}

void transport_guard::complain(const std::string& address, const std::string& why) {
  const auto line = "refuses a connection of " + address + ": " + why;
  const auto now = clock::now();
  auto found = complaints_.find(line);
  if (found == complaints_.end()) {
    if (complaints_.size() >= complaints_max)
      std::erase_if(complaints_, [&](const auto& c) { return c.second.said + repeat_after < now; });
    if (complaints_.size() >= complaints_max)
      return;
    complaints_.emplace(line, complaint{now, 0});
    log_(severity::warning, line);
  } else if (now < found->second.said + repeat_after) {
    ++found->second.unsaid;
  } else {
    const auto like = found->second.unsaid;
    found->second = {now, 0};
    log_(severity::warning, like == 0 ? line : line + " (and " + std::to_string(like) + " more like it)");
  }
}

}  // namespace quorate
