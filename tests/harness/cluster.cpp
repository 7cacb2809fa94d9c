#include "tests/harness/cluster.hpp"

#include "actors/ensure.hpp"
#include "balancers/registry.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

/// Tells of everything that it executes.
class watched_machine : public state_machine {
public:
  watched_machine(std::unique_ptr<state_machine> whole, node_id at, watchers& checks)
      : whole_(std::move(whole)), at_(at), checks_(checks) {}

  [[nodiscard]] std::string_view name() const override { return whole_->name(); }
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    checks_.tell(&check::executed, at_, index, commands);
    whole_->apply(index, commands, state, answers);
  }
  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override {
    return whole_->query(request, view);
  }

private:
  std::unique_ptr<state_machine> whole_;
  node_id at_;
  watchers& checks_;
};

/// What a node knows of its links, from the model of the network.
class simulated_account : public link_account {
public:
  simulated_account(node_id self, network_model& network, const event_queue& events)
      : self_(self), network_(network), events_(events) {}

  [[nodiscard]] mark handed(node_id to) const override {
    return to == self_ ? mark{} : mark{0, network_.handed(self_, to)};
  }
  [[nodiscard]] bool taken(node_id to, const mark& upto) const override {
    return to == self_ || network_.taken(self_, to, events_.now()) >= upto.bytes;
  }
  [[nodiscard]] bool arriving(node_id from) const override {
    return from != self_ && network_.arriving(from, self_, events_.now());
  }
  [[nodiscard]] bool arriving_in_background(node_id from) const override { return arriving(from); }
  [[nodiscard]] duration transfer(node_id from) const override {
    return from == self_ ? duration{} : network_.transfer(from, self_, events_.now());
  }
  [[nodiscard]] duration transfer_in_background(node_id from) const override { return transfer(from); }
  [[nodiscard]] bool background_on_its_way(node_id to) const override { return !idle(to); }

private:
  node_id self_;
  network_model& network_;
  const event_queue& events_;
};

// A node whose disk has failed is started again by whoever watches over it.
constexpr duration watchdog = std::chrono::milliseconds(300);

}  // namespace

cluster::cluster(surroundings& around, const protocol& ordering, const options& how, workload& work)
    : around_(around), network_(around.plan.members, around.plan.network, around.plan.seed * 3 + 1),
      prng_(around.plan.seed * 3 + 2) {
  node_setup setup;
  setup.cluster = "simulated";
  for (std::uint32_t i = 1; i <= around.plan.members; ++i)
    setup.nodes.push_back({node_id{i}, "n" + std::to_string(i), disk_id{}});
  setup.ordering = &ordering;
  setup.options = around.plan.options;
  setup.machine = work.machine();
  setup.timings = around.plan.timings;
  setup.log = around.plan.log;
  setup.clients = around.plan.edge;
  setup.sessions = around.plan.sessions;
  setup.sessions.window += around.mutants.session_window_longer;
  setup.memory = around.plan.memory;
  setup.catching_up = sync::all_strategies().data();
  auto chosen = choose_balancer(around.plan.balancer, {});
  ENSURE(std::holds_alternative<balancers::chosen_policy>(chosen),
         "a scenario names a policy that is not there");
  setup.balancing = std::get<balancers::chosen_policy>(std::move(chosen));
  const auto make = how.make ? how.make : whole_node();
  for (const auto& m : setup.nodes) {
    setup.self = m.id;
    setup.account = std::make_shared<simulated_account>(m.id, network_, around.events);
    setup.make_machine = [make = work.make_machine(), &around,
                          id = m.id]() -> std::unique_ptr<state_machine> {
      auto machine = make();
      if (around.mutants.bend_machine)
        machine = around.mutants.bend_machine(std::move(machine), id);
      return std::make_unique<watched_machine>(std::move(machine), id, around.checks);
    };
    nodes_.push_back(std::make_unique<sim_node>(setup, make, around, *this, prng_.next()));
    auto* target = nodes_.back().get();
    clients_.push_back(std::make_unique<client>(
        m.id, around, operations_, work,
        [target](const box& message) { return target->from_client(message); },
        [target] { return target->stood_still(); }, prng_.next()));
  }
}

void cluster::begin() {
  for (auto& n : nodes_)
    around_.events.after(std::chrono::microseconds(prng_.below(100'000)), [this, node = n.get()] {
      if (node->can_start())
        node->start();
    });
  for (auto& c : clients_)
    around_.events.after(std::chrono::microseconds(prng_.below(400'000)),
                         [client = c.get()] { client->begin(); });
  for (const auto& f : around_.plan.faults)
    around_.events.at(f.at, [this, &f] { strike(f); });
}

void cluster::during(duration lasts, std::function<void()> end) {
  around_.events.after(lasts, [this, end = std::move(end)] {
    if (!healed_)
      end();
  });
}

void cluster::restart_after(sim_node& n, duration wait) {
  around_.events.after(wait, [&n, life = n.life()] {
    if (n.can_start() && n.life() == life)
      n.start();
  });
}

bool cluster::may_wipe(const sim_node& n) const {
  // A blank node may be replaced by its owner at will: that is no lost vote. And what only one node knows
  // must not be lost with it.
  std::size_t whole = 0;
  for (const auto& other : nodes_) {
    if (!other->was_founded())
      return false;
    whole += other.get() != &n && !other->wiped() ? 1 : 0;
  }
  return !n.wiped() && majority{nodes_.size()}.reached(whole);
}

void cluster::isolate(const std::vector<node_id>& inside, bool in, bool out, duration lasts) {
  for (const auto& other : nodes_) {
    if (std::find(inside.begin(), inside.end(), other->id()) != inside.end())
      continue;
    for (const auto n : inside) {
      if (in)
        network_.cut(other->id(), n);
      if (out)
        network_.cut(n, other->id());
    }
  }
  during(lasts, [this, inside, in, out] {
    for (const auto& other : nodes_) {
      if (std::find(inside.begin(), inside.end(), other->id()) != inside.end())
        continue;
      for (const auto n : inside) {
        if (in)
          network_.mend(other->id(), n);
        if (out)
          network_.mend(n, other->id());
      }
    }
  });
}

void cluster::flap(node_id n, time_point until) {
  if (healed_ || around_.events.now() >= until)
    return;
  const auto cut = std::chrono::milliseconds(prng_.between(1, 60));
  isolate({n}, true, true, cut);
  around_.events.after(cut + std::chrono::milliseconds(prng_.between(1, 60)),
                       [this, n, until] { flap(n, until); });
}

void cluster::strike_links(const fault& f) {
  const auto first = f.nodes.front();
  // A script that was shrunk may have lost the second one.
  if (f.kind == fault_kind::one_way) {
    if (f.nodes.size() < 2 || f.nodes[1] == first)
      return;
    network_.cut(first, f.nodes[1]);
    during(f.lasts, [this, first, second = f.nodes[1]] { network_.mend(first, second); });
    return;
  }
  for (const auto& other : nodes_) {
    const auto n = other->id();
    if (n == first || (f.nodes.size() > 1 && n != f.nodes[1]))
      continue;
    const duration more = std::chrono::milliseconds(f.amount);
    network_.slow_down(first, n, more);
    network_.slow_down(n, first, more);
    during(f.lasts, [this, first, n, more] {
      network_.slow_down(first, n, -more);
      network_.slow_down(n, first, -more);
    });
  }
}

void cluster::strike(const fault& f) {
  if (healed_)
    return;
  if (around_.log.tracing())
    around_.log.line(around_.events.now(), "fault", text(f));
  if (f.kind == fault_kind::split) {
    isolate(f.nodes, true, true, f.lasts);
    return;
  }
  if (f.kind == fault_kind::one_way || f.kind == fault_kind::slow_link) {
    strike_links(f);
    return;
  }
  for (const auto n : f.nodes)
    strike_node(f, node_of(n));
}

void cluster::strike_node(const fault& f, sim_node& n) {
  switch (f.kind) {
  case fault_kind::crash:
    if (n.alive()) {
      n.crash();
      restart_after(n, f.lasts);
    }
    break;
  case fault_kind::wipe:
    if (may_wipe(n)) {
      n.wipe();
      restart_after(n, f.lasts);
    }
    break;
  case fault_kind::cut_off:
    isolate({n.id()}, true, true, f.lasts);
    break;
  case fault_kind::deaf:
    isolate({n.id()}, true, false, f.lasts);
    break;
  case fault_kind::mute:
    isolate({n.id()}, false, true, f.lasts);
    break;
  case fault_kind::flapping:
    flap(n.id(), around_.events.now() + f.lasts);
    break;
  case fault_kind::freeze:
    n.freeze();
    during(f.lasts, [&n] { n.thaw(); });
    break;
  case fault_kind::slow:
    n.slow_down(static_cast<double>(f.amount));
    during(f.lasts, [&n] { n.slow_down(1); });
    break;
  case fault_kind::clock:
    n.jump_clock(std::chrono::milliseconds(f.amount));
    break;
  case fault_kind::slow_disk:
    n.slow_disk(std::chrono::milliseconds(f.amount));
    during(f.lasts, [&n] { n.slow_disk({}); });
    break;
  case fault_kind::bad_disk:
    n.break_disk();
    break;
  case fault_kind::full_disk:
    n.fill_disk();
    during(f.lasts, [&n] {
      n.free_disk();
      if (n.can_start())
        n.start();
    });
    break;
  case fault_kind::blackout:
    if (n.alive()) {
      n.crash(f.amount);
      restart_after(n, f.lasts);
    }
    break;
  case fault_kind::clock_back:
    n.jump_clock(-std::chrono::milliseconds(f.amount));
    break;
  case fault_kind::flood:
    clients_[n.id().value - 1]->flood(f.amount);
    break;
  case fault_kind::low_disk:
    n.run_low();
    during(f.lasts, [&n] { n.have_room(); });
    break;
  case fault_kind::split:
  case fault_kind::one_way:
  case fault_kind::slow_link:
    break;  // of links, not of nodes
  }
}

void cluster::heal() {
  healed_ = true;
  around_.log.line(around_.events.now(), "fault", "none any more");
  network_.heal();
  for (auto& c : clients_)
    c->stop();
  for (auto& n : nodes_) {
    n->recover();
    if (!n->alive())
      n->start();
  }
}

void cluster::transmit(const origin& from, node_id to, const role_address& role, const box& message) {
  ++around_.count.sent;
  const auto bytes = message.wire_size();
  around_.count.bytes += bytes;
  const auto& waits = network_.plan(from.node, to, around_.events.now(), bytes);
  if (waits.empty()) {
    ++around_.count.lost;
    if (around_.log.tracing())
      around_.log.line(around_.events.now(), "network",
                       "loses " + quorate::text(from.node) + " -> " + quorate::text(to) + " " +
                           message.text());
  }
  if (waits.size() > 1)
    ++around_.count.doubled;
  for (const auto wait : waits)
    around_.events.after(wait, [this, from, to, role, message] { node_of(to).receive(from, role, message); });
}

void cluster::to_client(node_id at, const box& message) {
  const auto* replies = message.get<client_replies>();
  if (replies != nullptr)
    clients_[at.value - 1]->on(*replies);
  else
    around_.result.fail("routing", "a gateway was sent a " + message.type().name);
}

void cluster::stopped(node_id node) {
  clients_[node.value - 1]->disconnected();
  if (!healed_ && node_of(node).died_of_disk())
    around_.events.after(watchdog, [this, node, life = node_of(node).life()] {
      auto& n = node_of(node);
      if (n.can_start() && n.life() == life && !n.wiped())
        n.start();
    });
}

bool cluster::members_equal() const {
  const sim_node* first = nullptr;
  for (const auto& n : nodes_) {
    if (n->wiped())
      continue;
    if (!n->alive())
      return false;
    if (first == nullptr)
      first = n.get();
    else if (first->disk().state().index() != n->disk().state().index())
      return false;
  }
  return true;
}

run_outcome cluster::outcome() const {
  run_outcome result;
  result.operations = &operations_;
  for (const auto& n : nodes_)
    result.nodes.push_back({n->id(), n->wiped(), &n->disk().state()});
  return result;
}

}  // namespace quorate::testing
