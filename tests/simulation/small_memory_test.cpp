// What is kept in memory is a matter of speed only.
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

std::vector<std::unique_ptr<any_role>> forgetful_roles(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> roles;
  roles.push_back(std::make_unique<role_host<paxos::proposer>>(context));
  roles.push_back(std::make_unique<role_host<paxos::acceptor>>(context, 100));
  roles.push_back(
      std::make_unique<role_host<paxos::learner>>(context, majority{context.members.size()}, 300));
  return roles;
}

}  // namespace

TEST_CASE("paxos keeps its promises when it can keep hardly a batch in memory") {
  const auto wanted = wishes_of_environment();
  if (wanted.one_run())
    return;
  auto p = *find_protocol("paxos");
  p.make_roles = forgetful_roles;
  exploration what;
  what.first = wanted.first;
  what.seeds = wanted.seeds / 4;
  what.members = wanted.members.value_or(3);
  options how;
  how.checks = checks_of(p.name, what.members);
  const auto found = explore(what, p, how);
  std::printf("paxos without memory, %zu members: %s\n", what.members, text(found).c_str());
  for (const auto& f : found.failures)
    FAIL_CHECK("seed " << f.seed << ": " << f.failure);
}
