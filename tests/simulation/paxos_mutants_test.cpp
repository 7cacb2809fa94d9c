// Planted bugs in the roles of paxos, and in what carries them.
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/mutants.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace quorate;
using namespace quorate::testing;

namespace {

using roles = std::vector<std::unique_ptr<any_role>>;

// --- quorums
// -----------------------------------------------------------------------------------------------------

/// A majority of three that lacks one vote.
majority one_too_small() {
  return majority{1};
}

void small_quorums(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    roles out;
    out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
    out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
    out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
    return out;
  };
}

void small_quorum_of_promises(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    roles out;
    out.push_back(std::make_unique<role_host<paxos::proposer>>(context, one_too_small()));
    out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
    out.push_back(std::make_unique<role_host<paxos::learner>>(context));
    return out;
  };
}

void small_quorum_of_votes(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    roles out;
    out.push_back(std::make_unique<role_host<paxos::proposer>>(context));
    out.push_back(std::make_unique<role_host<paxos::acceptor>>(context));
    out.push_back(std::make_unique<role_host<paxos::learner>>(context, one_too_small()));
    return out;
  };
}

// --- acceptor
// ----------------------------------------------------------------------------------------------------

void hide_votes(std::vector<effect>& list) {
  change<with_payload<paxos::Promise>>(list, [](auto& m) { m.head.clear_voted(); });
}
void see_nothing(std::vector<effect>& list) {
  change<paxos::BarrierReply>(list, [](auto& m) { m.set_highest_voted(0); });
}
void empty_votes(std::vector<effect>& list) {
  change<with_payload<paxos::Accepted>>(list, [](auto& m) { m.head.mutable_value()->set_noop(true); });
}
void save_nothing(std::vector<effect>& list) {
  std::erase_if(list, [](const effect& e) { return std::holds_alternative<save_effect>(e); });
}

// --- learner, proposer
// -------------------------------------------------------------------------------------------

void deliver_late(std::vector<effect>& list) {
  change<delivered>(list, [](auto& m) { ++m.at.value; });
}
bool no_takeover(node_id&, box& message) {
  return message.get<paxos::Takeover>() == nullptr;
}

// --- switches
// ----------------------------------------------------------------------------------------------------

void forgetful_acceptor(options& how) {
  how.mutants.forgetful = port::acceptor;
}
/// What clients and replicas see, without knowledge of gates or of the protocol.
void from_outside(options& how) {
  how.without = {"save before send", "paxos"};
}
void forgetful_acceptor_from_outside(options& how) {
  forgetful_acceptor(how);
  from_outside(how);
}
void forgetful_proposer(options& how) {
  how.mutants.forgetful = port::proposer;
}
void early_acknowledgements(options& how) {
  how.mutants.acknowledge_early = true;
}
void early_acknowledgements_from_outside(options& how) {
  early_acknowledgements(how);
  from_outside(how);
}
void voting_wiped_disk(options& how) {
  how.mutants.wiped_votes = true;
}
void voting_wiped_disk_by_its_effect(options& how) {
  voting_wiped_disk(how);
  how.without = {"wiped disk"};
}

constexpr mutant planted[] = {
    {.name = "a forgotten promise", .expected = "paxos", .plant = forgetful_acceptor},
    {.name = "a forgotten promise, from outside", .plant = forgetful_acceptor_from_outside},
    {.name = "a ballot used again after a restart", .expected = "paxos", .plant = forgetful_proposer},
    {.name = "a reply before the save", .expected = "save before send", .plant = early_acknowledgements},
    {.name = "a reply before the save, from outside", .plant = early_acknowledgements_from_outside},
    {.name = "a wiped disk that votes", .expected = "wiped disk", .plant = voting_wiped_disk},
    {.name = "a wiped disk that votes, by its effect",
     .expected = "paxos",
     .plant = voting_wiped_disk_by_its_effect},
    {.name = "quorums one too small", .plant = from_outside, .replace = small_quorums},
    {.name = "a quorum of promises one too small",
     .plant = from_outside,
     .replace = small_quorum_of_promises},
    {.name = "a quorum of votes one too small", .plant = from_outside, .replace = small_quorum_of_votes},
    {.name = "a promise hides its vote",
     .expected = "paxos",
     .role = port::acceptor,
     .bends = bends_out<hide_votes>},
    {.name = "a vote for an empty value", .role = port::acceptor, .bends = bends_out<empty_votes>},
    {.name = "an acceptor that saves nothing",
     .expected = "paxos",
     .role = port::acceptor,
     .bends = bends_out<save_nothing>},
    {.name = "a barrier reply that saw nothing",
     .expected = "barrier",
     .role = port::acceptor,
     .bends = bends_out<see_nothing>},
    {.name = "a batch delivered under another cursor",
     .role = port::learner,
     .bends = bends_out<deliver_late>},
    {.name = "a hole that nobody fills",
     .expected = "termination",
     .role = port::proposer,
     .bends = bends_in<no_takeover>},
};

}  // namespace

TEST_CASE("each bug planted in paxos is caught by its check") {
  for (const auto& c : hunt(planted, *find_protocol("paxos"))) {
    std::printf("%s\n", text(c).c_str());
    CHECK_MESSAGE(c.as_expected(), text(c));
  }
}
