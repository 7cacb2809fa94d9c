#include "runtime/transport_door.hpp"

#include "actors/shell.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

namespace quorate {

namespace {

constexpr auto acknowledge_every = std::chrono::milliseconds{20};
constexpr auto sweep_every = std::chrono::milliseconds{500};
constexpr auto hello_every = std::chrono::milliseconds{500};
constexpr std::size_t refusals_max = 100;  // different ones remembered, so that nobody fills our memory

template <class Message>
void enqueue(own_door_actor::pointer self, const caf::strong_actor_ptr& to, Message&& message) {
  to->enqueue(self->ctrl(), caf::make_message_id(), caf::make_message(std::forward<Message>(message)),
              self->context());
}

}  // namespace

transport_door::transport_door(own_door_actor::pointer self, std::shared_ptr<transport::shared> shared)
    : self_(self), shared_(std::move(shared)) {}

own_door_actor::behavior_type transport_door::make_behavior() {
  drop_what_is_strange(self_);
  self_->set_down_handler([this](caf::down_msg& msg) { lost(msg.source); });
  tick();
  return {
      [this](const door_hello& msg) { on(msg); },
      [this](const door_roles& msg) { on(msg); },
      [this](const door_received& msg) {
        if (const auto* peer = known(msg.name))
          if (const auto found = peers_.find(peer->id);
              found != peers_.end() && found->second.boot == msg.boot)
            if (auto* link = shared_->setup.links->find(peer->id))
              link->acknowledged(msg.bytes);
      },
      [this](const client_hello& msg) {
        if (msg.answerer && msg.cluster == shared_->setup.cluster)
          shared_->guard->vouch(msg.answerer->node(), peer_standing::client);
        // The desk answers: of this node's actors a client learns that one and no other.
        if (const auto desk = shared_->setup.links->own().find({group_id{0}, epoch_id{0}, port::desk}))
          enqueue(self_, desk, msg);
      },
      [this](const door_dialled& msg) { send_hello(msg.door, false); },
      [this](const door_published& msg) {
        roles_[msg.address] = msg.handle;
        for (const auto& [node, p] : peers_)
          send_roles(p.door, {{msg.address, msg.handle}});
      },
      [this](const door_acknowledge& msg) { acknowledge(msg.node); },
  };
}

const transport_peer* transport_door::known(std::string_view name) const {
  for (const auto& p : shared_->setup.others)
    if (p.name == name)
      return &p;
  return nullptr;
}

void transport_door::send_hello(const caf::strong_actor_ptr& door, bool answer) {
  const auto& s = shared_->setup;
  enqueue(self_, door,
          door_hello{wire_version, s.cluster, s.self.name, s.disk, s.boot,
                     caf::actor_cast<caf::strong_actor_ptr>(self_), answer});
}

void transport_door::send_roles(const caf::strong_actor_ptr& door,
                                std::vector<std::pair<role_address, caf::strong_actor_ptr>> list) {
  enqueue(self_, door, door_roles{shared_->setup.self.name, shared_->setup.boot, std::move(list)});
}

void transport_door::refuse(const door_hello& msg, const std::string& why) {
  const auto line = "refuses a connection of \"" + msg.name + "\": " + why;
  if (refusals_.size() < refusals_max && refusals_.insert(line).second)
    shared_->setup.log(severity::warning, line);
}

void transport_door::on(const door_hello& msg) {
  const auto& s = shared_->setup;
  const auto* expected = known(msg.name);
  if (!msg.door)
    return;
  if (msg.version != wire_version)
    return refuse(msg, "it speaks version " + std::to_string(msg.version) + " and this node version " +
                           std::to_string(wire_version));
  if (msg.cluster != s.cluster)
    return refuse(msg,
                  "it belongs to cluster \"" + msg.cluster + "\", and this node to \"" + s.cluster + "\"");
  if (!expected)
    return refuse(msg, "the spec of this node has no such node (cluster.nodes)");
  const auto node = expected->id;
  const auto found = peers_.find(node);
  // An earlier process's last words, or a data directory that was put back from a copy: it has forgotten
  // votes.
  if (const auto newest = newest_.find(node);
      newest != newest_.end() && newest->second.first == msg.disk && msg.boot < newest->second.second)
    return refuse(msg, "this is start " + std::to_string(msg.boot.value) +
                           " of its data directory, and start " +
                           std::to_string(newest->second.second.value) +
                           " has been here: is the directory an old copy?");
  newest_[node] = {msg.disk, msg.boot};
  // Before it hears of our roles.
  if (auto account = shared_->guard->vouch(msg.door->node(), peer_standing::member); shared_->setup.accounts)
    shared_->setup.accounts->connect(node, std::move(account));
  const auto fresh = found == peers_.end() || found->second.door != msg.door;
  if (fresh) {
    // A new process or a new connection: whatever the link holds belongs to the old one.
    if (auto* link = s.links->find(node))
      link->reset();
    peers_[node] = {msg.name, msg.door, msg.disk, msg.boot};
    self_->monitor(caf::actor_cast<caf::actor>(msg.door));
    shared_->setup.log(severity::info,
                       "connected to " + msg.name + " (boot " + std::to_string(msg.boot.value) + ")");
  }
  if (!msg.answer)
    send_hello(msg.door, true);
  if (fresh || !msg.answer)
    send_roles(msg.door, {roles_.begin(), roles_.end()});
  shared_->set_connected(node, true);
}

void transport_door::on(const door_roles& msg) {
  const auto* peer = known(msg.name);
  if (!peer)
    return;
  const auto found = peers_.find(peer->id);
  auto* link = shared_->setup.links->find(peer->id);
  if (found == peers_.end() || found->second.boot != msg.boot || !link)
    return;
  for (const auto& [address, handle] : msg.roles)
    if (handle)
      link->add(address, handle);
}

void transport_door::acknowledge(node_id node) {
  const auto found = peers_.find(node);
  auto* link = shared_->setup.links->find(node);
  if (found == peers_.end() || !link)
    return;
  if (const auto bytes = link->take_received(); bytes > 0)
    enqueue(self_, found->second.door, door_received{shared_->setup.self.name, shared_->setup.boot, bytes});
}

void transport_door::tick() {
  for (const auto& [node, p] : peers_)
    acknowledge(node);
  since_sweep_ += acknowledge_every;
  if (since_sweep_ >= sweep_every) {
    since_sweep_ = {};
    shared_->guard->sweep();
  }
  since_hello_ += acknowledge_every;
  if (since_hello_ >= hello_every) {
    since_hello_ = {};
    for (const auto& [node, p] : peers_) {
      send_hello(p.door, true);
      send_roles(p.door, {roles_.begin(), roles_.end()});
    }
  }
  self_->run_delayed(acknowledge_every, [this] { tick(); });
}

void transport_door::lost(const caf::actor_addr& source) {
  for (auto i = peers_.begin(); i != peers_.end(); ++i) {
    if (i->second.door != source)
      continue;
    const auto node = i->first;
    const auto name = i->second.name;
    peers_.erase(i);
    if (auto* link = shared_->setup.links->find(node))
      link->reset();
    if (shared_->setup.accounts)
      shared_->setup.accounts->connect(node, nullptr);
    shared_->setup.log(severity::warning, "lost the connection to " + name);
    shared_->set_connected(node, false);
    return;
  }
}

}  // namespace quorate
