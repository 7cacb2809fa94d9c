// Every registered protocol passes the suite, and a broken one does not.
#include "tests/harness/conformance.hpp"

#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("every registered protocol conforms") {
  for (const auto& p : all_protocols())
    for (const auto& failure : conformance(p))
      FAIL_CHECK(p.name << ": " << failure);
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

TEST_CASE("a protocol that accepts unknown options does not conform") {
  auto broken = *find_protocol("paxos");
  broken.check_options = &accept_anything;
  conformance_options how;
  how.members.clear();
  CHECK(conformance(broken, how) == std::vector<std::string>{"options: an unknown option is accepted"});
}
