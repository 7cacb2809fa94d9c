// A local cluster's own behaviour, on CAF's deterministic coordinator. Thousands of its schedules are run by
// tests/protocols/conformance.
#include "protocols/registry.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/local_cluster.hpp"
#include "tests/harness/deterministic_system.hpp"

#include <caf/actor_registry.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

namespace {

cluster_spec spec_of(std::uint32_t nodes, const std::string& protocol) {
  cluster_spec spec;
  spec.name = "tier1";
  spec.protocol = protocol;
  for (std::uint32_t n = 1; n <= nodes; ++n)
    spec.nodes.push_back({"n" + std::to_string(n), {}, 0, {}, 0, node_id{n}});
  return spec;
}

/// A local cluster under a seed, its clients and what they were told.
class world {
public:
  world(std::uint64_t seed, std::uint32_t nodes, const std::string& protocol, link_faults faults)
      : det(seed), faults(std::make_shared<link_faults>(faults)) {
    local_options options;
    options.deterministic = true;
    options.seed = seed;
    options.log = {64, 1'000'000};
    options.between = [this](node_id, node_id, const role_address&, const caf::strong_actor_ptr& handle) {
      links.push_back(spawn_faulty_link(det, handle, this->faults));
      return links.back();
    };
    cluster = std::make_unique<local_cluster>(det.system(), spec_of(nodes, protocol), options);
  }
  ~world() {
    cluster.reset();
    for (const auto& link : links)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(link), caf::exit_reason::user_shutdown);
    det.drain();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  void append(node_id node, duration timeout = 2s) {
    const auto value = "\"v" + std::to_string(++sent) + "\"";
    ++open;
    cluster->submit(node, {token{}, request_kind::write, "k", payload{value}, timeout},
                    [this, value](client_reply reply) {
                      --open;
                      det.note(static_cast<std::uint64_t>(reply.code));
                      if (reply.code == errc::ok)
                        acknowledged[value] = append_index(reply.body.view());
                      else if (reply.code != errc::unknown_outcome)
                        refused.insert(value);
                    });
  }

  static std::uint64_t append_index(std::string_view body) {
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < 8; ++i)
      index |= std::uint64_t{static_cast<std::uint8_t>(body[i])} << (8 * i);
    return index;
  }

  /// The whole log as a node's linearizable read shows it; nothing where it gets no answer.
  std::optional<std::vector<std::string>> read_log(node_id node) {
    std::vector<std::string> values;
    for (std::uint64_t from = 0;;) {
      std::optional<client_reply> answer;
      cluster->submit(node,
                      {token{}, request_kind::read, {}, payload{encode(log_query{from, 1000, {}})}, 5s},
                      [&answer](client_reply reply) { answer = std::move(reply); });
      if (!det.run_until([&] { return answer.has_value(); }, 20s) || answer->code != errc::ok)
        return std::nullopt;
      const auto page = decode_log_page(answer->body.view());
      REQUIRE(page);
      for (const auto& e : page->entries)
        values.emplace_back(e.value);
      from = page->next;
      if (from >= page->end)
        return values;
    }
  }

  deterministic_system det;
  std::shared_ptr<link_faults> faults;
  std::unique_ptr<local_cluster> cluster;
  std::vector<caf::strong_actor_ptr> links;
  std::uint64_t sent = 0;
  std::uint64_t open = 0;
  std::map<std::string, std::uint64_t> acknowledged;
  std::set<std::string> refused;
};

} // namespace

TEST_CASE("a node that crashes before its actors have begun to work leaves none of them behind") {
  world w{3, 3, "paxos", {}};
  w.append(node_id{1});
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 10s));
  w.cluster->crash(node_id{2});
  w.det.drain();
  const auto of_nodes = [&w] { return w.det.system().registry().running() - w.links.size(); };
  const auto before = of_nodes();
  w.cluster->restart(node_id{2});
  w.cluster->crash(node_id{2});
  w.det.drain();
  CHECK(of_nodes() == before);
}

TEST_CASE("a local cluster of one node needs nobody") {
  world w{1, 1, "paxos", {}};
  w.append(node_id{1});
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 10s));
  CHECK(w.acknowledged.size() == 1);
}

TEST_CASE("a node without a majority refuses by the deadline and never executes what it refused") {
  world w{2, 3, "paxos", {}};
  w.append(node_id{1});
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 10s));
  w.cluster->cut_off(node_id{1}, true);
  w.append(node_id{1}, 500ms);
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 600ms));
  CHECK(w.acknowledged.size() == 1);
  w.cluster->cut_off(node_id{1}, false);
  w.det.run_for(2s);
  const auto log = w.read_log(node_id{2});
  REQUIRE(log);
  for (const auto& value : w.refused)
    CHECK(std::find(log->begin(), log->end(), value) == log->end());
}
