// Planted bugs in the owners, revokers and learners of mencius: every rule whose absence loses data has one.
#include "actors/role_host.hpp"
#include "protocols/mencius/acceptor.hpp"
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/mencius.hpp"
#include "protocols/mencius/proposer.hpp"
#include "protocols/mencius/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/simulation/mencius_mutants.hpp"

using namespace quorate;
using namespace quorate::testing;

namespace {

using namespace std::chrono_literals;
using roles = std::vector<std::unique_ptr<any_role>>;

constexpr me::slot far_ahead = me::slot{1} << 26;

// --- the owner and its lane
// --------------------------------------------------------------------------------------------

void claim_the_past(std::vector<effect>& list) {
  std::optional<me::Claim> past;
  change<me::Began>(list, [&](const me::Began& m) {
    past.emplace();
    past->set_lane(static_cast<std::uint32_t>(m.slot() % all_members.size()));
    past->set_upto(m.slot());
  });
  if (!past || past->upto() < all_members.size())
    return;
  me::OwnClaim claim;
  *claim.mutable_claim() = *past;
  say_more(list, {all_members[past->lane()]}, claim);
}
void claim_too_much(std::vector<effect>& list) {
  change<me::OwnClaim>(list, [](auto& m) { m.mutable_claim()->set_upto(m.claim().upto() + far_ahead); });
}
bool ceiling_taken_for_higher(node_id&, box& message) {
  change<me::Reserved>(message, [](auto& m) { m.set_ceiling(m.ceiling() + far_ahead); });
  return true;
}
void lose_rounds(std::vector<effect>& list) {
  lose_saves(list, "r");
}
bool promised_taken_for_void(node_id&, box& message) {
  if (const auto* m = message.get<me::Promised>()) {
    me::Voided gone;
    gone.set_to(m->to());
    message = box::of(std::move(gone));
  }
  return true;
}
bend repeat_as_another() {
  const auto known = std::make_shared<std::map<me::slot, std::uint64_t>>();
  return {[known](auto& list) {
            change<with_payload<me::Suggest>>(list, [&](auto& m) {
              m.head.mutable_id()->set_number(m.head.id().number() + 1'000'000 * (*known)[m.head.slot()]++);
            });
          },
          nullptr};
}
void exaggerate(std::vector<effect>& list) {
  change<with_payload<me::Suggest>>(list, [](auto& m) { m.head.set_high(m.head.high() + 1000); });
}

// --- revocation, at the proposer
// --------------------------------------------------------------------------------------------

void only_noops(std::vector<effect>& list) {
  change<me::AcceptNoops>(list, [](auto& m) { m.mutable_vote()->clear_but(); });
  drop<with_payload<me::Accept>>(list, [](const auto&) { return true; });
}
bool lowest_first(node_id&, box& message) {
  const auto turn = [](wire::Ballot* b) { b->set_round((std::uint64_t{1} << 40) - b->round()); };
  change<me::Promise>(message, [&](auto& m) {
    for (auto& v : *m.mutable_slots())
      turn(v.mutable_ballot());
    for (auto& v : *m.mutable_noops())
      turn(v.mutable_ballot());
  });
  return true;
}
bool noops_not_counted(node_id&, box& message) {
  change<me::Promise>(message, [](auto& m) { m.clear_noops(); });
  return true;
}
bool nothing_revoked(node_id&, box& message) {
  return message.get<me::Revoke>() == nullptr;
}

// --- learner, replica
// --------------------------------------------------------------------------------------------

bool chain_ignored(node_id&, box& message) {
  change<me::Votes>(message, [](auto& m) {
    for (auto& v : *m.mutable_slots())
      if (!v.has_ballot())
        v.set_since(v.slot() % all_members.size());
  });
  return true;
}
bend claims_merged_by_field() {
  const auto first = std::make_shared<std::map<std::uint32_t, std::uint64_t>>();
  return {nullptr, [first](node_id&, box& message) {
            change<me::Votes>(message, [&](auto& m) {
              if (m.has_claim())
                m.mutable_claim()->set_from(first->emplace(m.claim().lane(), m.claim().from()).first->second);
            });
            return true;
          }};
}
bool first_lane_not_waited_for(node_id&, box& message) {
  change<me::Votes>(message, [](auto& m) {
    m.mutable_claim()->set_lane(0);
    m.mutable_claim()->set_from(0);
    m.mutable_claim()->set_upto(m.high());
  });
  return true;
}
bend another_batch_is_chosen() {
  const auto before = std::make_shared<std::optional<with_payload<me::Chosen>>>();
  return {[before](auto& list) {
            change<with_payload<me::Chosen>>(list, [&](auto& m) {
              const auto whole = m;
              if (*before) {
                *m.head.mutable_id() = (*before)->head.id();
                m.body = (*before)->body;
              }
              *before = whole;
            });
          },
          nullptr};
}
bend answers_to_another_boot() {
  const auto boot = std::make_shared<std::uint64_t>(0);
  return {[boot](auto& list) { change<me::BarrierQuery>(list, [&](auto& m) { *boot = m.boot(); }); },
          [boot](node_id&, box& message) {
            change<me::BarrierReply>(message, [&](auto& m) { m.set_boot(*boot); });
            return true;
          }};
}
/// The same ones everywhere, so that learners agree.
void leave_some_out(std::vector<effect>& list) {
  drop<delivered>(list, [](const delivered& m) { return m.at.value / all_members.size() % 4 == 0; });
}
// --- quorums
// --------------------------------------------------------------------------------------------

/// A majority of three that lacks one vote.
majority one_too_small() {
  return majority{1};
}
template <class P, class L>
roles with(const protocol_context& context, P p, L l) {
  roles out;
  out.push_back(p(context));
  out.push_back(std::make_unique<role_host<me::acceptor>>(context));
  out.push_back(l(context));
  return out;
}
std::unique_ptr<any_role> whole_learner(const protocol_context& context) {
  return std::make_unique<role_host<me::learner>>(context);
}
std::unique_ptr<any_role> whole_proposer(const protocol_context& context) {
  return std::make_unique<role_host<me::proposer>>(context);
}
void small_quorum_of_promises(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    return with(
        context, [](const auto& c) { return std::make_unique<role_host<me::proposer>>(c, one_too_small()); },
        whole_learner);
  };
}
void small_quorum_of_votes(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    return with(context, whole_proposer,
                [](const auto& c) { return std::make_unique<role_host<me::learner>>(c, one_too_small()); });
  };
}
/// Each answer to a barrier counts as everybody's.
void barrier_from_one(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    const auto turns = std::make_shared<std::size_t>(0);
    roles out = with(context, whole_proposer, [turns](const auto& c) -> std::unique_ptr<any_role> {
      return std::make_unique<bent_role>(whole_learner(c),
                                         bend{nullptr, [turns](node_id& from, box& message) {
                                                if (message.get<me::BarrierReply>() != nullptr)
                                                  from = all_members[++*turns % all_members.size()];
                                                return true;
                                              }});
    });
    out[1] = std::make_unique<bent_role>(
        std::move(out[1]), bend{[](auto& list) {
                                  for (std::size_t i = list.size(); i-- > 0;)
                                    if (const auto* s = std::get_if<send_effect>(&list[i]);
                                        s != nullptr && s->message.template get<me::BarrierReply>())
                                      list.insert(list.end(), 2, list[i]);
                                },
                                nullptr});
    return out;
  };
}

// --- switches and scenarios
// ---
void forgetful_proposer(options& how) {
  how.mutants.forgetful = port::proposer;
}
/// Reads just before a crash and just after the restart, with answers that are late.
void restarts_between_reads(scenario& s) {
  s.clients.reads = 70;
  s.clients.operations_max = 150;
  s.clients.window = 8;
  s.clients.think_max = 2ms;
  s.network.stray = 20;
  s.network.stray_max = 60ms;
  s.faults_for = std::max<duration>(s.faults_for, 2s);
  prng random{s.seed};
  for (auto at = 200ms; at < s.faults_for; at += 50ms)
    s.faults.push_back({at, 1ms, fault_kind::crash, {all_members[random.below(all_members.size())]}, 0});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
}

constexpr mutant planted[] = {
    // The owner.
    {.name = "a restarted owner claims its past",
     .expected = "M4 claims",
     .role = port::proposer,
     .bends = bends_out<claim_the_past>},
    {.name = "a claim above the saved ceiling",
     .expected = "M4 claims",
     .role = port::proposer,
     .bends = bends_out<claim_too_much>},
    {.name = "a suggestion before the ceiling",
     .expected = "M4 claims",
     .role = port::proposer,
     .bends = bends_in<ceiling_taken_for_higher>},
    {.name = "skips are told before the ceiling is saved",
     .role = port::proposer,
     .bends = bends_out<send_at_once<me::Reserved>>},
    {.name = "an owner that forgets its ceilings", .plant = forgetful_proposer},
    {.name = "a suggestion repeated as another one",
     .expected = "M2 ballot 0",
     .role = port::proposer,
     .bends = repeat_as_another},
    {.name = "a command again before its slot is decided",
     .expected = "M7 once",
     .role = port::proposer,
     .bends = bends_in<promised_taken_for_void>},
    {.name = "a slot taken for one with a batch",
     .expected = "H highest",
     .role = port::proposer,
     .bends = bends_out<exaggerate>},
    // Revocation.
    {.name = "a no-op though a vote was found",
     .expected = "M5 found",
     .role = port::proposer,
     .bends = bends_out<only_noops>},
    {.name = "the vote with the lowest ballot",
     .expected = "M5 found",
     .role = port::proposer,
     .bends = bends_in<lowest_first>},
    {.name = "votes for no-ops not counted",
     .expected = "M5 found",
     .role = port::proposer,
     .bends = bends_in<noops_not_counted>},
    {.name = "a ballot used again after a restart",
     .expected = "M3 promises",
     .role = port::proposer,
     .bends = bends_out<lose_rounds>},
    {.name = "a lane that nobody revokes",
     .expected = "termination",
     .role = port::proposer,
     .bends = bends_in<nothing_revoked>},
    {.name = "a quorum of promises one too small",
     .expected = "M5 found",
     .replace = small_quorum_of_promises},
    {.name = "a quorum of votes one too small", .expected = "M1 one value", .replace = small_quorum_of_votes},
    // Learners.
    {.name = "the chain of suggestions ignored", .role = port::learner, .bends = bends_in<chain_ignored>},
    {.name = "claims merged field by field", .role = port::learner, .bends = claims_merged_by_field},
    {.name = "one lane not waited for", .role = port::learner, .bends = bends_in<first_lane_not_waited_for>},
    {.name = "batches left out",
     .expected = "M6 order",
     .role = port::learner,
     .bends = bends_out<leave_some_out>},
    {.name = "the wrong batch told as chosen",
     .expected = "M1 one value",
     .role = port::learner,
     .bends = another_batch_is_chosen},
    {.name = "a barrier answered by one", .expected = "M8 barrier", .replace = barrier_from_one},
    {.name = "an answer to a barrier of an earlier start",
     .expected = "M8 barrier",
     .role = port::learner,
     .bends = answers_to_another_boot,
     .shape = restarts_between_reads},
};

}  // namespace

TEST_CASE("each bug planted in an owner, a revoker or a learner of mencius is caught by its check") {
  catch_all(planted, *find_protocol("mencius"));
}

TEST_CASE("in the scenarios of planted mencius bugs nothing fails where none is planted") {
  for (const auto shape : {much_is_forgotten, restarts_between_reads}) {
    const mutant none{.name = "none", .shape = shape};
    for (const auto& f : false_alarms(none, *find_protocol("mencius"), 100))
      FAIL_CHECK("seed " << f.seed << ": " << f.failure);
  }
}
