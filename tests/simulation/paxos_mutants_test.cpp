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
#include <map>

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

/// The promised ballot stands in for the ballot of the vote.
void one_ballot_for_both(std::vector<effect>& list) {
  change<with_payload<paxos::Promise>>(list, [](auto& m) {
    if (m.head.has_voted())
      *m.head.mutable_voted() = m.head.ballot();
  });
}

/// What is below the floor counts as a slot that nobody has heard of.
bend forgotten_is_new() {
  auto asked = std::make_shared<box>();
  return {[asked](std::vector<effect>& list) {
            for (auto& one : list) {
              auto* s = std::get_if<send_effect>(&one);
              if (s == nullptr || s->message.get<paxos::Forgotten>() == nullptr)
                continue;
              if (const auto* p = asked->get<paxos::Prepare>()) {
                with_payload<paxos::Promise> fresh;
                fresh.head.set_slot(p->slot());
                *fresh.head.mutable_ballot() = p->ballot();
                s->message = box::of(std::move(fresh));
              } else if (const auto* a = asked->get<with_payload<paxos::Accept>>()) {
                with_payload<paxos::Accepted> vote;
                vote.head.set_slot(a->head.slot());
                *vote.head.mutable_ballot() = a->head.ballot();
                *vote.head.mutable_value() = a->head.value();
                s->to = {node_id{1}, node_id{2}, node_id{3}};
                s->message = box::of(std::move(vote));
              }
            }
          },
          [asked](node_id&, box& message) {
            *asked = message;
            return true;
          }};
}

// --- learner, proposer
// -------------------------------------------------------------------------------------------

void deliver_late(std::vector<effect>& list) {
  change<delivered>(list, [](auto& m) { ++m.at.value; });
}
/// Now and then a batch is passed over, by each learner another one.
bend skips_slots() {
  static std::uint64_t learners = 0;
  auto count = std::make_shared<std::uint64_t>(learners++);
  return {[count](std::vector<effect>& list) {
            drop<delivered>(list, [&](const delivered&) { return ++*count % 5 == 0; });
          },
          nullptr};
}
void empty_batches(std::vector<effect>& list) {
  change<delivered>(list, [](delivered& m) { m.value.body = {}; });
}
void swaps_batches(std::vector<effect>& list) {
  std::vector<effect*> found;
  for (auto& e : list)
    if (const auto* s = std::get_if<send_effect>(&e); s != nullptr && s->message.get<delivered>() != nullptr)
      found.push_back(&e);
  if (found.size() > 1)
    std::swap(*found[0], *found[1]);
}
bool no_fast_forward(node_id&, box& message) {
  return message.get<fast_forward>() == nullptr;
}
/// Asks one acceptor several times, and takes its answers for those of several.
bend barrier_of_one() {
  auto answers = std::make_shared<std::uint32_t>(0);
  return {[answers](std::vector<effect>& list) {
            for (auto& e : list)
              if (auto* s = std::get_if<send_effect>(&e);
                  s != nullptr && s->message.get<paxos::BarrierQuery>() != nullptr)
                s->to.assign(3, s->to[++*answers % s->to.size()]);
          },
          [answers](node_id& from, box& message) {
            if (message.get<paxos::BarrierReply>() != nullptr)
              from = node_id{++*answers % 3 + 1};
            return true;
          }};
}
bool votes_unheard(node_id&, box& message) {
  change<with_payload<paxos::Promise>>(message, [](auto& m) {
    m.head.clear_voted();
    m.head.clear_value();
    m.body = {};
  });
  return true;
}
/// Says of everything that it was not ordered, and goes on with it.
bend keeps_what_it_gives_back() {
  auto asked = std::make_shared<std::map<token, std::vector<command_id>>>();
  return {[asked](std::vector<effect>& list) {
            change<not_ordered>(list, [&](not_ordered& m) { m.ids = (*asked)[m.id]; });
          },
          [asked](node_id&, box& message) {
            if (const auto* m = message.get<take_back>())
              (*asked)[m->id] = m->ids;
            return true;
          }};
}
/// Loses what it is asked for, where that is more than one command.
bool loses_proposals(node_id&, box& message) {
  const auto* m = message.get<propose>();
  return m == nullptr || m->commands.size() < 2;
}
/// All nodes use the ballots of the first.
bend ballots_of_one() {
  auto own = std::make_shared<std::uint32_t>(0);
  auto borrow = [own](auto* b) {
    *own = b->node();
    b->set_node(1);
  };
  return {[borrow](std::vector<effect>& list) {
            change<paxos::Prepare>(list, [&](auto& m) { borrow(m.mutable_ballot()); });
            change<with_payload<paxos::Accept>>(list, [&](auto& m) { borrow(m.head.mutable_ballot()); });
          },
          [own](node_id&, box& message) {
            change<with_payload<paxos::Promise>>(message,
                                                 [&](auto& m) { m.head.mutable_ballot()->set_node(*own); });
            change<paxos::Nack>(message, [&](auto& m) { m.mutable_ballot()->set_node(*own); });
            return true;
          }};
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

/// Somebody is always so far behind that only a snapshot helps.
void laggards(scenario& s) {
  s.log.entries_max = 2;
  s.timings.flush_every = std::chrono::milliseconds(20);
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 60);
  s.clients.think_max = std::chrono::milliseconds(10);
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
    {.name = "one variable for promised and accepted ballot",
     .role = port::acceptor,
     .bends = bends_out<one_ballot_for_both>},
    {.name = "Forgotten treated as new",
     .role = port::acceptor,
     .bends = forgotten_is_new,
     .shape = laggards},
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
    {.name = "a slot skipped", .expected = "delivery", .role = port::learner, .bends = skips_slots},
    {.name = "a commit with an empty payload",
     .expected = "delivery",
     .role = port::learner,
     .bends = bends_out<empty_batches>},
    {.name = "two batches that change places",
     .expected = "delivery",
     .role = port::learner,
     .bends = bends_out<swaps_batches>},
    {.name = "a learner that hears of no fast-forward",
     .expected = "termination",
     .role = port::learner,
     .bends = bends_in<no_fast_forward>,
     .shape = laggards},
    {.name = "a barrier answered from a minority",
     .expected = "barrier",
     .role = port::learner,
     .bends = barrier_of_one},
    {.name = "an accepted value ignored", .role = port::proposer, .bends = bends_in<votes_unheard>},
    {.name = "a withdrawn command proposed all the same",
     .expected = "refusal",
     .role = port::proposer,
     .bends = keeps_what_it_gives_back},
    {.name = "commands that a proposer loses",
     .expected = "proposal",
     .role = port::proposer,
     .bends = bends_in<loses_proposals>},
    {.name = "ballots that two proposers share",
     .expected = "paxos",
     .role = port::proposer,
     .bends = ballots_of_one},
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
