#include "runtime/node_host.hpp"

#include "actors/actor_exceptions.hpp"
#include "actors/io_bound.hpp"

#include "protocols/registry.hpp"
#include "runtime/client_desk.hpp"
#include "runtime/journal_actor.hpp"

#include <caf/init_global_meta_objects.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <mutex>
#include <utility>

namespace quorate {

void register_messages() {
  caf::core::init_global_meta_objects();
  caf::init_global_meta_objects<caf::id_block::quorate_actors>();
  caf::init_global_meta_objects<caf::id_block::quorate_sync>();
  caf::init_global_meta_objects<caf::id_block::quorate_balancers>();
  caf::init_global_meta_objects<caf::id_block::quorate_runtime>();
  register_protocol_messages();
  register_client_messages();
}

namespace {

using node_actor =
    caf::typed_actor<caf::result<void>(origin, founded), caf::result<void>(origin, not_founded),
                     caf::result<void>(origin, connectivity), caf::result<void>(origin, replica_figures),
                     caf::result<void>(origin, client_requests), caf::result<void>(origin, balancer_figures),
                     caf::result<void>(origin, handover)>;
using gateway_actor = caf::typed_actor<caf::result<void>(origin, client_replies)>;

/// As in the log.
std::string name_of(const role_address& address) {
  return std::string{to_string(address.role)} + " g" + std::to_string(address.group.value) + " e" +
         std::to_string(address.epoch.value);
}

/// What the node's actor, its runner and its owner share.
struct shared_parts {
  std::shared_ptr<shell_environment> environment;
  std::shared_ptr<status_board> board;
  std::shared_ptr<std::vector<caf::strong_actor_ptr>> actors;
  std::shared_ptr<std::mutex> mutex;
  std::shared_ptr<bool> stopped;  ///< guarded by `mutex`
  std::function<void(const role_address&, const caf::strong_actor_ptr&)> published;
  vital_parts vital;

  /// False where the owner has stopped already: then the actor is asked to end.
  bool keep(const role_address& address, const caf::strong_actor_ptr& handle) {
    {
      std::lock_guard lock{*mutex};
      if (*stopped) {
        caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), caf::exit_reason::user_shutdown);
        return false;
      }
      actors->push_back(handle);
    }
    vital.watch(handle, name_of(address));
    environment->links->own().add(address, handle);
    return true;
  }
};

/// The node's actor: owns the `node` that assembles the roles, and runs them.
struct node_state : role_runner {
  static inline const char* name = "node";

  node_state(node_actor::pointer self, node_setup setup, shared_parts parts)
      : self_(self), parts_(std::move(parts)), node_(std::move(setup), *this) {}

  node_actor::behavior_type make_behavior() {
    drop_what_is_strange(self_);  // other nodes have its handle
    end_with_exceptions(self_, parts_.environment->fatal, "node");
    // Not only by whoever spawned this actor: where the cluster is founded already, founding says so at once,
    // perhaps before that thread gets to it.
    const role_address address{group_id{0}, epoch_id{0}, port::node};
    const auto own = caf::actor_cast<caf::strong_actor_ptr>(self_);
    parts_.environment->links->own().add(address, own);
    // Balancers of other nodes hand commands over to this one.
    if (parts_.published)
      parts_.published(address, own);
    node_.start();
    launch();
    return {
        [this](const origin&, const founded& msg) {
          node_.on(msg);
          launch();
          parts_.board->set([&](auto& board) {
            board.founded = true;
            board.members = msg.members;
            board.protocol = msg.protocol;
          });
        },
        [this](const origin&, const not_founded& msg) {
          parts_.board->set([&](auto& board) { board.reason = msg.reason; });
        },
        [this](const origin&, const connectivity& msg) {
          parts_.board->set([&](auto& board) { board.peers = msg; });
        },
        [this](const origin&, const replica_figures& msg) {
          parts_.board->set([&](auto& board) { board.replica = msg; });
        },
        // Only those that came before the edge could be found; it runs by now.
        [this](const origin& from, const client_requests& msg) { pass_on(port::edge, from, msg); },
        [this](const origin&, const balancer_figures& msg) {
          parts_.board->set([&](auto& board) { board.balancer = msg; });
        },
        // The replica judges whether the sender counts, and answers it.
        [this](const origin& from, handover& msg) {
          const auto bytes = wire_size(msg);
          if (!pass_on(port::replica, from, submission{std::move(msg.commands)}))
            if (auto* link = parts_.environment->links->find(from.node))
              link->received(bytes);
        },
    };
  }

  void adopt(const role_identity& identity) override { pass_on(identity.space.role, identity); }

  void run(std::unique_ptr<any_role> role, const role_identity& identity) override {
    auto* spawner = role.get();
    const auto place = role->place();
    const auto handle = spawner->spawn(std::move(role), self_->system(), parts_.environment, identity);
    const role_address address{identity.space.group, identity.space.epoch, place};
    if (parts_.keep(address, handle))
      spawned_.emplace_back(address, handle);
  }

  /// Starts what was spawned, once all of it can be found: a message to a neighbour that is not there yet
  /// would be lost, and nobody sends again within a node.
  void launch() {
    for (const auto& [address, handle] : spawned_) {
      handle->enqueue(self_->ctrl(), caf::make_message_id(), caf::make_message(start_role{}),
                      self_->context());
      if (parts_.published)
        parts_.published(address, handle);
    }
    spawned_.clear();
  }

private:
  /// \returns whether there is such a role
  template <class... Ts>
  bool pass_on(port to, Ts&&... message) {
    const auto role = parts_.environment->links->own().find({group_id{0}, epoch_id{0}, to});
    if (role)
      role->enqueue(self_->ctrl(), caf::make_message_id(), caf::make_message(std::forward<Ts>(message)...),
                    self_->context());
    return role != nullptr;
  }

  node_actor::pointer self_;
  shared_parts parts_;
  std::vector<std::pair<role_address, caf::strong_actor_ptr>> spawned_;
  node node_;
};

struct gateway_state {
  static inline const char* name = "gateway";

  gateway_state(gateway_actor::pointer, std::function<void(std::vector<client_reply>)> to)
      : replies(std::move(to)) {}
  gateway_actor::behavior_type make_behavior() {
    return {[this](const origin&, client_replies& msg) { replies(std::move(msg.list)); }};
  }

  std::function<void(std::vector<client_reply>)> replies;
};

gateway_actor spawn_gateway(caf::actor_system& system, caf::execution_unit* loop,
                            std::function<void(std::vector<client_reply>)> replies) {
  using impl = gateway_actor::stateful_impl<gateway_state>;
  return loop != nullptr ? system.spawn<io_bound<impl>>(loop, std::move(replies))
                         : system.spawn<impl>(std::move(replies));
}

}  // namespace

node_host::node_host(caf::actor_system& system, node_host_setup setup)
    : environment_(std::make_shared<shell_environment>()), board_(std::make_shared<status_board>()),
      actors_(std::make_shared<std::vector<caf::strong_actor_ptr>>()), mutex_(std::make_shared<std::mutex>()),
      stopped_(std::make_shared<bool>(false)), vital_(setup.fatal), system_(system), threads_(setup.threads), replies_(setup.replies) {
  own_ = {cluster_hash(setup.node.cluster),
          group_id{0},
          epoch_id{0},
          setup.node.self,
          setup.node.disk,
          setup.node.boot};
  environment_->links = setup.links;
  environment_->log = setup.log;
  environment_->fatal = setup.fatal;
  environment_->seed = setup.seed;
  environment_->kept = std::move(setup.kept);
  environment_->loop = setup.loop;
  if (setup.threads) {
    environment_->detached = {port::reader, port::sync};
    environment_->alarms = std::make_shared<alarm_clock>();
  }
  environment_->journal = spawn_journal(system, {setup.target, setup.fatal, setup.threads});
  environment_->rows = spawn_row_reader(system, {setup.target, setup.fatal, setup.threads});
  actors_->push_back(caf::actor_cast<caf::strong_actor_ptr>(environment_->journal));
  actors_->push_back(caf::actor_cast<caf::strong_actor_ptr>(environment_->rows));

  vital_.watch(actors_->at(0), "journal");
  vital_.watch(actors_->at(1), "journal reader");

  shared_parts parts{environment_, board_, actors_, mutex_, stopped_, setup.published, vital_};
  // Gateway and node first: the roles that `node` starts talk to both.
  auto replies = spawn_gateway(system, setup.loop, std::move(setup.replies));
  parts.keep({group_id{0}, epoch_id{0}, port::gateway}, caf::actor_cast<caf::strong_actor_ptr>(replies));
  client_desk_setup desk{setup.node.cluster, own_, environment_->links,
                         [log = environment_->log](severity level, const std::string& line) {
                           log(level, "desk", line);
                         }};
  parts.keep({group_id{0}, epoch_id{0}, port::desk},
             caf::actor_cast<caf::strong_actor_ptr>(spawn_client_desk(system, setup.loop, std::move(desk))));
  auto node = system.spawn<node_actor::stateful_impl<node_state>>(std::move(setup.node), parts);
  node_ = caf::actor_cast<caf::strong_actor_ptr>(node);
  vital_.watch(node_, "node");
  environment_->links->own().add({group_id{0}, epoch_id{0}, port::node}, node_);
}

node_host::~node_host() {
  stop();
}

void node_host::stop() {
  vital_.stop();
  // The node's actor first. Under a deterministic scheduler it may get to start its roles only after this: it
  // finds that it is too late.
  if (const auto node = std::exchange(node_, nullptr)) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(node), caf::exit_reason::user_shutdown);
    if (threads_) {
      caf::scoped_actor self{system_};
      self->wait_for(caf::actor_cast<caf::actor>(node));
    }
  }
  std::vector<caf::strong_actor_ptr> all;
  {
    std::lock_guard lock{*mutex_};
    all.swap(*actors_);
    *stopped_ = true;
  }
  environment_->links->own().reset();
  if (environment_->alarms)
    environment_->alarms->stop();
  for (const auto& actor : all)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
  if (!threads_)
    return;
  // Afterwards nobody touches journal and store any more.
  caf::scoped_actor self{system_};
  for (const auto& actor : all)
    self->wait_for(caf::actor_cast<caf::actor>(actor));
}

status node_host::change_policy(balancers::chosen_policy chosen) {
  const auto handle = environment_->links->own().find({group_id{0}, epoch_id{0}, port::balancer});
  if (!handle)
    return failure{errc::not_founded, "This node does not belong to a cluster yet."};
  caf::anon_send(caf::actor_cast<caf::actor>(handle), own_, policy_change{std::move(chosen)});
  return std::nullopt;
}

void node_host::tell_room(disk_level level) {
  // Before there is a cluster nobody needs to know; it is told again.
  if (const auto handle = environment_->links->own().find({group_id{0}, epoch_id{0}, port::membership}))
    caf::anon_send(caf::actor_cast<caf::actor>(handle), own_, disk_room{level});
}

void node_host::submit(std::vector<client_request> requests) {
  auto handle = environment_->links->own().find({group_id{0}, epoch_id{0}, port::edge});
  if (!handle)
    handle = environment_->links->own().find({group_id{0}, epoch_id{0}, port::node});
  if (handle) {
    caf::anon_send(caf::actor_cast<caf::actor>(handle), own_, client_requests{std::move(requests)});
    return;
  }
  client_replies refused;
  for (const auto& r : requests)
    refused.list.push_back({r.id, errc::shutting_down, payload{"this node is stopping"}});
  replies_(std::move(refused.list));
}

}  // namespace quorate
