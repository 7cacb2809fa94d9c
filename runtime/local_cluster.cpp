#include "runtime/local_cluster.hpp"

#include "actors/ensure.hpp"
#include "balancers/registry.hpp"
#include "protocols/registry.hpp"
#include "runtime/machines.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <cstdio>

namespace quorate {

/// One node: its disk outlives the host that runs on it.
struct local_cluster::site {
  node_id id;
  disk_id disk;
  boot_id boot;
  std::shared_ptr<memory_journal> journal = std::make_shared<memory_journal>();
  std::shared_ptr<memory_store> state = std::make_shared<memory_store>();
  std::shared_ptr<quorate::links> links;
  bool cut_off = false;
  std::size_t keep = 0;  ///< unsynced commits that the last crash leaves
  std::unique_ptr<node_host> host;

  std::mutex mutex;
  std::map<role_address, caf::strong_actor_ptr> roles;
  std::uint64_t tokens = 0;
  std::map<token, answer> waiting;

  void reply(std::vector<client_reply> replies) {
    for (auto& r : replies) {
      answer done;
      {
        std::lock_guard lock{mutex};
        const auto found = waiting.find(r.id);
        if (found == waiting.end())
          continue;
        done = std::move(found->second);
        waiting.erase(found);
      }
      done(std::move(r));
    }
  }
};

void initialize() {
  register_messages();
}

local_cluster::local_cluster(caf::actor_system& system, const cluster_spec& spec, local_options options)
    : system_(system), spec_(spec), options_(std::move(options)) {
  std::vector<node_id> ids;
  for (const auto& n : spec_.nodes)
    ids.push_back(n.id);
  for (const auto& n : spec_.nodes) {
    auto s = std::make_shared<site>();
    s->id = n.id;
    s->disk = disk_id{options_.seed * 1'000 + n.id.value};
    s->state->flush_at_once(true);
    s->links = std::make_shared<quorate::links>(n.id, ids, spec_.limits.link_bytes);
    sites_.emplace(n.id, std::move(s));
  }
  for (auto& [id, s] : sites_)
    start(*s);
}

local_cluster::~local_cluster() {
  for (auto& [id, s] : sites_)
    s->host.reset();
}

void local_cluster::start(site& s) {
  s.boot = s.boot.next();
  node_host_setup h;
  h.node.cluster = spec_.name;
  for (const auto& n : spec_.nodes)
    h.node.nodes.push_back({n.id, n.name, disk_id{0}});
  h.node.self = s.id;
  h.node.disk = s.disk;
  h.node.boot = s.boot;
  h.node.ordering = options_.ordering ? options_.ordering : find_protocol(spec_.protocol);
  ENSURE(h.node.ordering, "there is no protocol \"" + spec_.protocol + "\"");
  h.node.options = spec_.protocol_options;
  h.node.catching_up = sync::find_strategy(spec_.sync);
  ENSURE(h.node.catching_up, "there is no sync strategy \"" + spec_.sync + "\"");
  h.node.balancing = options_.balancing;
  if (!h.node.balancing.make) {
    auto chosen = choose_balancer(spec_.balancer, spec_.balancer_options);
    const auto* wrong = std::get_if<failure>(&chosen);
    ENSURE(!wrong, wrong->message);
    h.node.balancing = std::get<balancers::chosen_policy>(std::move(chosen));
  }
  h.node.machine = spec_.machine;
  h.node.make_machine = options_.make_machine;
  if (!h.node.make_machine) {
    const auto* machine = find_machine(spec_.machine);
    ENSURE(machine, "there is no state machine \"" + spec_.machine + "\"");
    h.node.make_machine = machine->make;
  }
  h.node.timings = options_.timings;
  h.node.log = options_.log;
  h.node.state = s.state.get();
  h.node.saved = s.journal.get();
  h.links = s.links;
  h.target = s.journal;
  h.kept = {s.journal, s.state};
  h.seed = options_.seed;
  h.threads = !options_.deterministic;
  h.log = [logger = options_.logger, id = s.id](severity level, std::string_view place,
                                                const std::string& line) {
    if (logger)
      logger(level, id, place, line);
  };
  h.fatal = [fatal = options_.fatal, id = s.id](const std::string& message) {
    if (fatal)
      fatal(id, message);
    else
      ENSURE(false, text(id) + ": " + message);
  };
  // Actors may outlive their site for a message or two; a site never outlives the cluster.
  const std::weak_ptr<site> weak = sites_.at(s.id);
  h.published = [this, weak](const role_address& address, const caf::strong_actor_ptr& handle) {
    if (const auto own = weak.lock())
      connect(*own, address, handle);
  };
  h.replies = [weak](std::vector<client_reply> replies) {
    if (const auto own = weak.lock())
      own->reply(std::move(replies));
  };
  // The roles of the others that run already.
  for (auto& [id, other] : sites_) {
    std::lock_guard lock{other->mutex};
    for (const auto& [address, handle] : other->roles)
      if (id != s.id && !other->cut_off && !s.cut_off)
        s.links->find(id)->add(address,
                               options_.between ? options_.between(s.id, id, address, handle) : handle);
  }
  s.host = std::make_unique<node_host>(system_, std::move(h));
}

void local_cluster::connect(site& from, const role_address& role, const caf::strong_actor_ptr& handle) {
  {
    std::lock_guard lock{from.mutex};
    from.roles[role] = handle;
  }
  for (auto& [id, other] : sites_)
    if (id != from.id && !other->cut_off && !from.cut_off)
      other->links->find(from.id)->add(role, options_.between ? options_.between(id, from.id, role, handle)
                                                              : handle);
}

void local_cluster::submit(node_id node, client_request request, answer done) {
  auto& s = *sites_.at(node);
  if (!s.host) {
    done({request.id, errc::shutting_down, payload{"this node is down"}});
    return;
  }
  {
    std::lock_guard lock{s.mutex};
    request.id = token{++s.tokens};
    s.waiting[request.id] = std::move(done);
  }
  std::vector<client_request> list;
  list.push_back(std::move(request));
  s.host->submit(std::move(list));
}

std::future<client_reply> local_cluster::write(node_id node, std::string key, std::string body,
                                               duration timeout) {
  auto promise = std::make_shared<std::promise<client_reply>>();
  submit(node, {token{}, request_kind::write, std::move(key), payload{std::move(body)}, timeout},
         [promise](client_reply reply) { promise->set_value(std::move(reply)); });
  return promise->get_future();
}

std::future<client_reply> local_cluster::read(node_id node, std::string query, duration timeout) {
  auto promise = std::make_shared<std::promise<client_reply>>();
  submit(node, {token{}, request_kind::read, {}, payload{std::move(query)}, timeout},
         [promise](client_reply reply) { promise->set_value(std::move(reply)); });
  return promise->get_future();
}

void local_cluster::crash(node_id node, std::size_t keep) {
  auto& s = *sites_.at(node);
  if (!s.host)
    return;
  s.host->stop();
  s.host.reset();
  for (auto& [id, other] : sites_)
    if (id != node)
      other->links->find(node)->reset();
  std::map<token, answer> unanswered;
  {
    std::lock_guard lock{s.mutex};
    s.roles.clear();
    unanswered.swap(s.waiting);
  }
  s.keep = keep;
  for (auto& [id, done] : unanswered)
    done({id, errc::unknown_outcome, payload{"the node has crashed"}});
}

void local_cluster::restart(node_id node) {
  auto& s = *sites_.at(node);
  if (s.host)
    return;
  // Only now: an actor that was told to exit may still have saved what it had at hand.
  s.journal->crash(std::min(s.keep, s.journal->unsynced()));
  s.state->crash();
  start(s);
}

void local_cluster::cut_off(node_id node, bool off) {
  auto& s = *sites_.at(node);
  s.cut_off = off;
  for (auto& [id, other] : sites_) {
    if (id == node)
      continue;
    if (off || other->cut_off) {
      other->links->find(node)->reset();
      s.links->find(id)->reset();
      continue;
    }
    std::scoped_lock lock{s.mutex, other->mutex};
    for (const auto& [address, handle] : s.roles)
      other->links->find(node)->add(address,
                                    options_.between ? options_.between(id, node, address, handle) : handle);
    for (const auto& [address, handle] : other->roles)
      s.links->find(id)->add(address,
                             options_.between ? options_.between(node, id, address, handle) : handle);
  }
}

const store& local_cluster::state(node_id node) const {
  return *sites_.at(node)->state;
}

status local_cluster::change_policy(node_id node, balancers::chosen_policy chosen) {
  auto& s = *sites_.at(node);
  if (!s.host)
    return failure{errc::shutting_down, "this node is down"};
  return s.host->change_policy(std::move(chosen));
}

std::vector<node_id> local_cluster::nodes() const {
  std::vector<node_id> out;
  for (const auto& [id, s] : sites_)
    out.push_back(id);
  return out;
}

status_board::contents local_cluster::figures(node_id node) const {
  const auto& s = *sites_.at(node);
  return s.host ? s.host->figures() : status_board::contents{};
}

}  // namespace quorate
