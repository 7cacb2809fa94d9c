// Every registered protocol passes the suite, and a broken one does not.
#include "tests/harness/conformance.hpp"

#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/local_run.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

/// Paxos whose quorums are one too small among three.
std::vector<std::unique_ptr<any_role>> with_small_quorum(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context, majority{1}));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context, majority{1}));
  return out;
}

status accept_anything(const std::map<std::string, std::string>&) {
  return {};
}

}  // namespace

TEST_CASE("one schedule of actors, as the environment asks for it") {
  const auto wanted = wishes_of_environment();
  if (!wanted.seed)
    return;
  for (const auto& p : all_protocols()) {
    const auto members = wanted.members.value_or(scenario::members_of(*wanted.seed));
    const auto result = run_local(*wanted.seed, members, p);
    std::printf("%s, seed %llu, %zu members, %s: %s\n", p.name.c_str(),
                static_cast<unsigned long long>(*wanted.seed), members, text(result.count).c_str(),
                result.ok ? "ok" : result.failure.c_str());
    CHECK(result.ok);
  }
}

TEST_CASE("every registered protocol conforms, from thousands of schedules") {
  const auto wanted = wishes_of_environment();
  if (wanted.one_run())
    return;
  for (const auto& p : all_protocols()) {
    conformance_options how;
    how.first = wanted.first;
    how.local_seeds = wanted.seeds;
    how.tell = [&p](const std::string& line) { std::printf("%s, %s\n", p.name.c_str(), line.c_str()); };
    for (const auto& failure : conformance(p, how))
      FAIL_CHECK(p.name << ": " << failure);
  }
}

TEST_CASE("one seed runs the same actors in the same way, twice") {
  for (const auto& p : all_protocols())
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const auto first = run_local(seed, 3, p);
      CHECK(first.ok);
      CHECK(first.hash == run_local(seed, 3, p).hash);
      CHECK(first.hash != run_local(seed + 100, 3, p).hash);
    }
}

TEST_CASE("a protocol with a small quorum does not conform") {
  auto broken = *find_protocol("paxos");
  broken.name = "small-quorum";
  broken.make_roles = &with_small_quorum;
  conformance_options how;
  how.members = {3};
  how.simulated_seeds = 2'000;
  how.local_seeds = 0;
  const auto failures = conformance(broken, how);
  REQUIRE(!failures.empty());
  CHECK(failures.front().starts_with("simulator, 3 members"));
}

TEST_CASE("a protocol with a small quorum is caught among actors, too") {
  auto broken = *find_protocol("paxos");
  broken.name = "small-quorum";
  broken.make_roles = &with_small_quorum;
  exploration what;
  what.seeds = 2'000;
  const auto found = explore_local(what, broken);
  REQUIRE(!found.failures.empty());
  CHECK(found.failures.front().replay.starts_with("./tests/run.sh --local --seed "));
}

TEST_CASE("a protocol that accepts unknown options does not conform") {
  auto broken = *find_protocol("paxos");
  broken.check_options = &accept_anything;
  conformance_options how;
  how.members.clear();
  CHECK(conformance(broken, how) == std::vector<std::string>{"options: an unknown option is accepted"});
}
