#include "runtime/node.hpp"

#include "actors/ensure.hpp"
#include "actors/role_host.hpp"
#include "runtime/membership.hpp"
#include "runtime/reader.hpp"
#include "runtime/replica.hpp"
#include "runtime/type_ids.hpp"

namespace quorate {

node::node(node_setup setup, role_runner& runner)
    : setup_(std::move(setup)), runner_(runner), cluster_(cluster_hash(setup_.cluster)) {
  if (!setup_.answers)
    setup_.answers = std::make_shared<answer_budget>();
}

role_identity node::identity(port role) const {
  return {{group_id{0}, epoch_id{0}, role},
          {cluster_, group_id{0}, epoch_id{0}, setup_.self, setup_.disk, setup_.boot},
          members_};
}

void node::recover_and_run(std::unique_ptr<any_role> role) {
  const auto who = identity(role->place());
  role->recover(*setup_.saved->view(who.space));
  runner_.run(std::move(role), who);
}

void node::start() {
  founding_setup f;
  f.spec.set_cluster(setup_.cluster);
  for (const auto& n : setup_.nodes) {
    auto* m = f.spec.add_members();
    m->set_id(n.id.value);
    m->set_name(n.name);
  }
  f.spec.set_protocol(setup_.ordering->name);
  for (const auto& [name, value] : setup_.options) {
    auto* option = f.spec.add_options();
    option->set_name(name);
    option->set_value(value);
  }
  f.spec.set_machine(setup_.machine);
  f.strangers = setup_.strangers;
  f.addresses = setup_.addresses;
  f.self = setup_.self;
  f.disk = setup_.disk;
  f.hello_every = setup_.timings.hello_every;
  recover_and_run(std::make_unique<role_host<edge>>(setup_.self, setup_.boot, setup_.clients,
                                                    setup_.sessions.window, setup_.account));
  recover_and_run(std::make_unique<role_host<founding>>(std::move(f)));
}

void node::on(const founded& message) {
  if (has_group())
    return;
  // Founding has seen to it.
  ENSURE(message.protocol == setup_.ordering->name && message.machine == setup_.machine,
         "the cluster was founded with " + message.protocol + " and " + message.machine +
             ", and this node runs " + setup_.ordering->name + " and " + setup_.machine);
  members_ = message.members;
  cluster_ = message.cluster;

  const std::shared_ptr<state_machine> machine = setup_.make_machine();
  replica_setup r;
  r.members = members_;
  r.self = setup_.self;
  r.machine = machine;
  r.state = setup_.state;
  r.timings = setup_.timings;
  r.limits = setup_.log;
  r.sessions = setup_.sessions;
  r.memory = setup_.memory;
  r.account = setup_.account;
  auto log = std::make_unique<role_host<replica>>(std::move(r));
  const auto who = identity(port::replica);
  log->recover(*setup_.saved->view(who.space));

  protocol_context context;
  context.members = members_;
  context.self = setup_.self;
  context.boot = setup_.boot;
  context.start = log->role().recovered_to();
  context.options = message.options;
  context.limits = setup_.memory;
  context.account = setup_.account;

  // The edge has been there before; from now on other members' replicas answer it.
  runner_.adopt(identity(port::edge));
  runner_.run(std::move(log), who);
  runner_.run(std::make_unique<role_host<reader>>(machine, setup_.answers), identity(port::reader));
  recover_and_run(setup_.catching_up->make(
      {members_, setup_.self, setup_.boot, setup_.timings.pull_again, setup_.memory, setup_.account}));
  for (auto& role : setup_.ordering->make_roles(context))
    recover_and_run(std::move(role));
  recover_and_run(std::make_unique<role_host<balancer>>(
      balancer_setup{members_, setup_.self, setup_.balancing, setup_.clients.requests_max}));
  recover_and_run(std::make_unique<role_host<membership>>(
      membership_setup{members_, setup_.self, setup_.timings.heartbeat_every, setup_.timings.suspect_after,
                       setup_.clients.requests_max}));
}

}  // namespace quorate
