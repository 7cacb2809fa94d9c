// Tier 1: shells, journal actors and node assembly on CAF's deterministic coordinator.
#include "protocols/registry.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/local_cluster.hpp"
#include "tests/harness/deterministic_system.hpp"

#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
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
    options.logger = [this](severity level, node_id, std::string_view place, const std::string& line) {
      if (level == severity::error)
        errors.push_back(std::string{place} + ": " + line);
    };
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
  std::vector<std::string> errors;
};

/// One seeded run: appends through all nodes under faults, crashes and cuts; then everything heals and is checked.
std::uint64_t explore(std::uint64_t seed, std::uint32_t nodes, const std::string& protocol) {
  prng plan{seed * 7919 + nodes};
  world w{seed, nodes, protocol,
          {static_cast<double>(plan.below(20)), static_cast<double>(plan.below(20)),
           std::chrono::microseconds{plan.below(20'000)}}};
  std::set<node_id> down;
  for (int round = 0; round < 12; ++round) {
    for (std::uint64_t i = plan.below(6); i > 0; --i)
      w.append(node_id{static_cast<std::uint32_t>(plan.between(1, nodes))});
    w.det.run_for(std::chrono::milliseconds{plan.between(1, 200)});
    const node_id victim{static_cast<std::uint32_t>(plan.between(1, nodes))};
    switch (plan.below(5)) {
    case 0:
      if (down.insert(victim).second) {
        w.cluster->crash(victim, plan.below(4));
        w.det.drain();
      }
      break;
    case 1:
      if (down.erase(victim) > 0)
        w.cluster->restart(victim);
      break;
    case 2:
      w.cluster->cut_off(victim, true);
      break;
    case 3:
      w.cluster->cut_off(victim, false);
      break;
    default:
      break;
    }
  }
  *w.faults = {};
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    w.cluster->cut_off(node_id{n}, false);
    w.cluster->restart(node_id{n});
  }
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 20s));
  // What is submitted now must be executed: nobody is down any more.
  w.det.run_for(3s);
  const auto before = w.acknowledged.size();
  for (std::uint32_t n = 1; n <= nodes; ++n)
    w.append(node_id{n}, 10s);
  REQUIRE(w.det.run_until([&] { return w.open == 0; }, 20s));
  CHECK(w.acknowledged.size() == before + nodes);

  std::optional<std::vector<std::string>> first;
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    const auto log = w.read_log(node_id{n});
    REQUIRE(log);
    if (!first)
      first = log;
    CHECK(*log == *first);
  }
  CHECK(std::set<std::string>(first->begin(), first->end()).size() == first->size());
  for (const auto& [value, index] : w.acknowledged) {
    REQUIRE(index < first->size());
    CHECK((*first)[index] == value);
  }
  for (const auto& value : w.refused)
    CHECK(std::find(first->begin(), first->end(), value) == first->end());
  CHECK(w.errors.empty());
  return w.det.transcript();
}

std::uint64_t schedules() {
  const char* seeds = std::getenv("QUORATE_SEEDS");
  return seeds ? std::max<std::uint64_t>(1, std::strtoull(seeds, nullptr, 10) / 20) : 50;
}

} // namespace

TEST_CASE("a local cluster keeps every promise under random schedules, faulty links, crashes and cuts") {
  const char* given = std::getenv("QUORATE_SEED");
  for (const auto& p : all_protocols())
    for (const std::uint32_t nodes : {3U, 5U}) {
      const std::uint64_t first = given ? std::strtoull(given, nullptr, 10) : 1;
      const std::uint64_t count = given ? 1 : schedules();
      for (auto seed = first; seed < first + count; ++seed) {
        CAPTURE(p.name);
        CAPTURE(nodes);
        CAPTURE(seed);
        explore(seed, nodes, p.name);
      }
    }
}

TEST_CASE("the same seed runs a local cluster in the same way") {
  CHECK(explore(4711, 3, "paxos") == explore(4711, 3, "paxos"));
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
