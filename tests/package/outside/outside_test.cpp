// A project of its own that uses the installed package: a state machine and a protocol of its own, tested on CAF's
// deterministic coordinator and in the simulator.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "runtime/local_cluster.hpp"
#include "tests/harness/deterministic_system.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

using namespace quorate;
using namespace quorate::testing;

namespace {

/// Keeps the greatest word that anybody has sent.
struct greatest : state_machine {
  std::string_view name() const override { return "greatest"; }
  void apply(log_index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    for (const auto& c : commands) {
      const auto now = std::max(state.get("word").value_or(""), std::string{c.body});
      state.put("word", now);
      answers.push_back({errc::ok, now});
    }
  }
  machine_answer query(std::string_view, const store_view& view) const override {
    return {errc::ok, view.get("word").value_or("")};
  }
};

/// A protocol that is not registered: paxos by another name.
std::vector<std::unique_ptr<any_role>> make_roles(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context));
  return out;
}

protocol own_protocol() {
  auto p = *find_protocol("paxos");
  p.name = "own";
  p.make_roles = &make_roles;
  return p;
}

} // namespace

TEST_CASE("a state machine and a protocol of one's own run in a local cluster under a seed") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    deterministic_system det{seed};
    const auto own = own_protocol();
    cluster_spec spec;
    spec.name = "outside";
    spec.protocol = "own";
    spec.machine = "greatest";
    for (std::uint32_t n = 1; n <= 3; ++n)
      spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
    local_options options;
    options.deterministic = true;
    options.seed = seed;
    options.ordering = &own;
    options.make_machine = [] { return std::make_unique<greatest>(); };
    auto cluster = std::make_unique<local_cluster>(det.system(), spec, options);
    int answered = 0;
    std::string last;
    for (const auto* word : {"b", "c", "a"}) {
      const node_id at{static_cast<std::uint32_t>(1 + answered)};
      const auto before = answered;
      cluster->submit(at, {token{}, request_kind::write, "k", payload{std::string{word}}, std::chrono::seconds{5}},
                      [&](client_reply reply) {
                        CHECK(reply.code == errc::ok);
                        last = reply.body.view();
                        ++answered;
                      });
      REQUIRE(det.run_until([&] { return answered > before; }, std::chrono::seconds{10}));
    }
    CHECK(last == "c");
    cluster.reset();
    det.drain();
  }
}

TEST_CASE("a protocol of one's own runs in the simulator") {
  exploration what;
  what.seeds = 20;
  what.members = 3;
  const auto found = explore(what, own_protocol());
  CHECK(found.failures.empty());
}
