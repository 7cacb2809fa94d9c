// Planted bugs: a check that cannot fail is a defect, so each of these must be caught.
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/paxos.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

constexpr std::uint64_t seeds_max = 2'000;
constexpr std::size_t members = 3;

using roles = std::vector<std::unique_ptr<any_role>>;

/// A majority that lacks one vote.
majority one_too_small() {
  return majority{members - 2};
}

roles with_small_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
  return out;
}

roles with_small_promise_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context));
  return out;
}

roles with_small_vote_quorum(const protocol_context& context) {
  roles out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context));
  out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
  return out;
}

protocol paxos_with(roles (*make)(const protocol_context&)) {
  auto p = *find_protocol("paxos");
  p.make_roles = make;
  return p;
}

/// Runs seeds until one of them shows the bug, and says which check it was.
void must_be_caught(std::string_view mutant, const protocol& p, const options& how) {
  exploration what;
  what.seeds = seeds_max;
  what.members = members;
  const auto found = explore(what, p, how);
  if (found.failures.empty())
    FAIL_CHECK("not caught: " << mutant);
  else
    std::printf("%.*s: caught by seed %llu (%s)\n", static_cast<int>(mutant.size()), mutant.data(),
                static_cast<unsigned long long>(found.failures.front().seed),
                found.failures.front().failure.c_str());
}

/// What clients and replicas see, without knowledge of gates or of the protocol.
options from_outside() {
  options how;
  how.without = {"save before send"};
  return how;
}

}  // namespace

TEST_CASE("an acceptor that forgets its promises is caught") {
  auto how = from_outside();
  how.mutants.forgetful = port::acceptor;
  must_be_caught("forgotten promise, from outside", *find_protocol("paxos"), how);
  how.checks = checks_of("paxos", members);
  must_be_caught("forgotten promise", *find_protocol("paxos"), how);
}

TEST_CASE("a proposer that uses its ballots again is caught") {
  auto how = from_outside();
  how.mutants.forgetful = port::proposer;
  how.checks = checks_of("paxos", members);
  must_be_caught("ballot reused after a restart", *find_protocol("paxos"), how);
}

TEST_CASE("answers that leave before the save they rest on are caught") {
  auto how = from_outside();
  how.mutants.acknowledge_early = true;
  must_be_caught("reply before save, from outside", *find_protocol("paxos"), how);
  how.without.clear();
  must_be_caught("reply before save", *find_protocol("paxos"), how);
}

TEST_CASE("a quorum that is one too small is caught") {
  must_be_caught("small quorum", paxos_with(with_small_quorum), from_outside());
  must_be_caught("small quorum of promises", paxos_with(with_small_promise_quorum), from_outside());
  must_be_caught("small quorum of votes", paxos_with(with_small_vote_quorum), from_outside());
}

TEST_CASE("a wiped disk that votes is caught") {
  options how;
  how.mutants.wiped_votes = true;
  must_be_caught("wiped disk votes", *find_protocol("paxos"), how);
  how.without = {"wiped disk"};
  how.checks = checks_of("paxos", members);
  must_be_caught("wiped disk votes, by its effect", *find_protocol("paxos"), how);
}
