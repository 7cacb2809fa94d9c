// Five nodes inside one program, one of them slowed: where does each policy send 10,000 commands?
#include "balancers/registry.hpp"
#include "runtime/local_cluster.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <cstdio>
#include <semaphore>
#include <thread>

using namespace quorate;
using namespace std::chrono_literals;

namespace {

constexpr node_id asked{1};  // all commands come in here
constexpr node_id slowed{4};
constexpr duration slower_by = 20ms;
constexpr int commands = 10'000;
constexpr std::ptrdiff_t at_once = 64;

/// The way to or from the slowed node: what is sent arrives later, in order.
caf::strong_actor_ptr slow_way(caf::actor_system& system, const caf::strong_actor_ptr& to) {
  const auto way = system.spawn([to](caf::event_based_actor* self) -> caf::behavior {
    self->monitor(caf::actor_cast<caf::actor>(to));
    self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
    self->set_default_handler([to](caf::scheduled_actor* me, caf::message& what) -> caf::skippable_result {
      me->run_delayed(slower_by / 2, [to, me, what] {
        to->enqueue(me->ctrl(), caf::make_message_id(), what, me->context());
      });
      return caf::message{};
    });
    return {[](caf::unit_t) {}};
  });
  return caf::actor_cast<caf::strong_actor_ptr>(way);
}

/// Waits until the balancer works by this policy, has heard of all nodes and knows of so many commands.
bool balanced_by(const local_cluster& cluster, std::string_view policy, std::uint64_t commands_seen) {
  for (int i = 0; i < 1'000; ++i) {
    const auto seen = cluster.figures(asked).balancer;
    std::uint64_t taken = 0;
    auto good = seen.policy == policy && !seen.of.empty();
    for (const auto& [node, account] : seen.of) {
      taken += account.taken;
      good = good && account.pickable && account.outstanding == 0;
    }
    if (good && taken >= commands_seen)
      return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// How many commands were answered ok.
int send_commands(local_cluster& cluster) {
  std::counting_semaphore<at_once> room{at_once};
  std::atomic<int> done{0};
  for (int i = 0; i < commands; ++i) {
    room.acquire();
    cluster.submit(asked,
                   {token{}, request_kind::write, "key-" + std::to_string(i % 997), payload{"\"x\""}, 10s},
                   [&](const client_reply& reply) {
                     done += reply.code == errc::ok ? 1 : 0;
                     room.release();
                   });
  }
  for (std::ptrdiff_t i = 0; i < at_once; ++i)
    room.acquire();
  return done;
}

}  // namespace

int main() {
  initialize();
  caf::actor_system_config config;
  caf::actor_system system{config};

  cluster_spec spec;
  spec.name = "balancing";
  spec.protocol = "paxos";
  for (std::uint32_t n = 1; n <= 5; ++n)
    spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
  local_options options;
  options.between = [&system](node_id from, node_id to, const role_address&,
                              const caf::strong_actor_ptr& handle) {
    return from == slowed || to == slowed ? slow_way(system, handle) : handle;
  };
  local_cluster cluster{system, spec, options};
  if (!balanced_by(cluster, "local", 0)) {
    std::fprintf(stderr, "the cluster has not come together\n");
    return 1;
  }

  std::printf("%d commands through n%u; n%u is %lld ms away from the others\n", commands, asked.value,
              slowed.value, static_cast<long long>(slower_by / 1ms));
  for (const auto& policy : all_balancers()) {
    const std::string name{policy.name};
    if (cluster.change_policy(asked, std::get<balancers::chosen_policy>(choose_balancer(name, {}))) ||
        !balanced_by(cluster, name, 0)) {
      std::fprintf(stderr, "the policy %s has not come into effect\n", name.c_str());
      return 1;
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto acknowledged = send_commands(cluster);
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    static_cast<void>(balanced_by(cluster, name, commands));  // its figures come a little later
    std::printf("\n%s: %.1f s, %d acknowledged\n", name.c_str(), took, acknowledged);
    const auto figures = cluster.figures(asked).balancer;
    for (const auto& [node, seen] : figures.of) {
      const auto percent = 100.0 * static_cast<double>(seen.taken) / commands;
      std::printf("  n%u%s %5.1f%% %s\n", node.value, node == slowed ? " (slow)" : "       ", percent,
                  std::string(static_cast<std::size_t>(percent / 2 + 0.5), '#').c_str());
    }
  }
  return 0;
}
