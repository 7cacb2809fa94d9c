// Planted bugs on paths that are hardly ever taken, and those that a check saw only where it did not look away.
#include "actors/role_host.hpp"
#include "protocols/mencius/acceptor.hpp"
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/proposer.hpp"
#include "protocols/mencius/type_ids.hpp"
#include "protocols/registry.hpp"
#include "runtime/founding.hpp"
#include "runtime/log_rows.hpp"
#include "runtime/replica.hpp"
#include "tests/harness/script.hpp"
#include "tests/simulation/mencius_mutants.hpp"
#include "tests/simulation/rare_shapes.hpp"

#include <set>

using namespace quorate;
using namespace quorate::testing;

namespace {

using roles = std::vector<std::unique_ptr<any_role>>;

/// Each is caught within so many seeds.
constexpr std::uint64_t seeds_max = 500;

template <class M>
bool sends(const std::vector<effect>& list) {
  return std::any_of(list.begin(), list.end(), [](const effect& e) {
    const auto* s = std::get_if<send_effect>(&e);
    return s != nullptr && s->message.template get<M>() != nullptr;
  });
}

// --- what a restart comes back to
// --------------------------------------------------------------------------------------------

/// A snapshot replaces the state, and the rows of the log before it stay.
void old_rows_stay(std::vector<effect>& list) {
  if (!sends<fast_forward>(list))
    return;
  std::erase_if(list, [](const effect& e) {
    const auto* erased = std::get_if<erase_effect>(&e);
    return erased != nullptr && erased->from == log_rows::prefix && erased->to == log_rows::end;
  });
}
/// What is confirmed to others while the cluster is being founded is not saved.
void confirms_unsaved(std::vector<effect>& list) {
  const auto founds = sends<founded>(list);
  std::erase_if(list, [&](const effect& e) { return !founds && std::holds_alternative<save_effect>(e); });
}

// --- barriers
// --------------------------------------------------------------------------------------------

/// After a fast-forward a barrier is asked for again under its old name.
bend barrier_keeps_its_token() {
  struct names {
    token real;
    token shown;
  };
  const auto open = std::make_shared<names>();
  return {[open](std::vector<effect>& list) {
            const auto again = sends<fast_forward>(list);
            change<barrier>(list, [&](barrier& b) {
              if (b.id != open->real) {
                open->real = b.id;
                if (!again)
                  open->shown = b.id;
              }
              b.id = open->shown;
            });
          },
          [open](node_id&, box& message) {
            change<reached>(message, [&](reached& m) {
              if (m.id == open->shown)
                m.id = open->real;
            });
            return true;
          }};
}

// --- sync
// --------------------------------------------------------------------------------------------

/// Takes parts of two snapshots for one.
bend mixes_two_snapshots() {
  struct transfer {
    std::uint64_t first_at = 0;
    std::map<std::uint64_t, std::uint64_t> at;  ///< by part, what its sender says
  };
  const auto known = std::make_shared<std::map<std::uint64_t, transfer>>();
  return {[known](std::vector<effect>& list) {
            change<stage_snapshot>(list, [&](stage_snapshot& m) {
              m.at = log_index{(*known)[m.transfer.value].at[m.part]};
            });
          },
          [known](node_id&, box& message) {
            change<with_payload<sync::wire::SnapshotPart>>(message, [&](auto& m) {
              auto& t = (*known)[m.head.token()];
              if (m.head.part() == 0)
                t.first_at = m.head.at();
              t.at[m.head.part()] = m.head.at();
              m.head.set_at(t.first_at);
            });
            return true;
          }};
}

// --- hand-offs, seen from within a proposer
// --------------------------------------------------------------------------------------------

// What commands are in doubt is in no message. The language opens private members to explicit instantiations.
template <auto Member>
struct queue_door {
  friend auto& queue_of(me::proposer& p) { return p.*Member; }
};
template <auto Member>
struct list_door {
  friend auto& list_of(me::command_queue& q) { return q.*Member; }
};
template <auto Member>
struct handed_door {
  friend auto& handed_of(me::proposer& p) { return p.*Member; }
};
template <auto Member>
struct open_door {
  friend auto& open_of(me::proposer& p) { return p.*Member; }
};
template struct queue_door<&me::proposer::queue_>;
template struct list_door<&me::command_queue::list_>;
template struct handed_door<&me::proposer::handed_>;
template struct open_door<&me::proposer::open_>;
auto& queue_of(me::proposer& p);
auto& list_of(me::command_queue& q);
auto& handed_of(me::proposer& p);
auto& open_of(me::proposer& p);

using command_ids = std::set<command_id>;

/// Takes the mark from these commands, wherever they are now.
void clear_doubts(me::proposer& p, const command_ids& which) {
  for (auto& q : list_of(queue_of(p)))
    if (which.contains(q.what.id))
      q.in_doubt = false;
  for (auto& [s, x] : open_of(p))
    for (auto& q : x.commands)
      if (which.contains(q.what.id))
        q.in_doubt = false;
}

command_ids handed_by(me::proposer& p) {
  command_ids out;
  for (const auto& [number, h] : handed_of(p))
    for (const auto& q : h.commands)
      out.insert(q.what.id);
  return out;
}

/// Commands for which no receipt came are put back as if they had never left.
bend no_doubt_after_hand_off(me::proposer& p) {
  const auto before = std::make_shared<command_ids>();
  return {[before, &p](std::vector<effect>&) {
            const auto now = handed_by(p);
            for (const auto& id : now)
              before->erase(id);
            clear_doubts(p, *before);
            *before = now;
          },
          nullptr};
}

/// A command that was in doubt is none any more when a slot of ours turns out not to hold it.
bend doubt_is_not_kept(me::proposer& p) {
  struct moment {
    bool voided = false;
    std::map<me::slot, command_ids> open;
  };
  const auto before = std::make_shared<moment>();
  return {[before, &p](std::vector<effect>&) {
            if (before->voided)
              for (const auto& [s, ids] : before->open)
                if (!open_of(p).contains(s))
                  clear_doubts(p, ids);
            before->open.clear();
            for (const auto& [s, x] : open_of(p))
              for (const auto& q : x.commands)
                before->open[s].insert(q.what.id);
          },
          [before](node_id&, box& message) {
            before->voided = message.get<me::Voided>() != nullptr;
            return true;
          }};
}

template <bend (*Wrong)(me::proposer&)>
void with_proposer(protocol& p) {
  p.make_roles = [](const protocol_context& context) -> roles {
    auto whole = std::make_unique<role_host<me::proposer>>(context);
    auto wrong = Wrong(whole->role());
    roles out;
    out.push_back(std::make_unique<bent_role>(std::move(whole), std::move(wrong)));
    out.push_back(std::make_unique<role_host<me::acceptor>>(context));
    out.push_back(std::make_unique<role_host<me::learner>>(context));
    return out;
  };
}

// --- learners
// --------------------------------------------------------------------------------------------

/// A fast-forward that lies behind what was delivered already is not followed.
bend does_not_go_back() {
  const auto delivered_to = std::make_shared<cursor>();
  return {[delivered_to](std::vector<effect>& list) {
            change<delivered>(list, [&](delivered& m) { *delivered_to = std::max(*delivered_to, m.at); });
          },
          [delivered_to](node_id&, box& message) {
            change<fast_forward>(message, [&](fast_forward& m) {
              m.at = *delivered_to = std::max(*delivered_to, m.at);
            });
            return true;
          }};
}

// --- where checks looked away
// --------------------------------------------------------------------------------------------

/// Answers most requests, and those that it cannot answer well it does not answer at all.
void keeps_silent(std::vector<effect>& list) {
  change<client_replies>(list, [](client_replies& m) {
    std::erase_if(m.list, [](const auto& reply) { return reply.code != errc::ok; });
  });
  drop<client_replies>(list, [](const client_replies& m) { return m.list.empty(); });
}
/// From its first fast-forward on it has everything proposed twice.
bend proposes_twice_for_ever() {
  const auto since = std::make_shared<bool>(false);
  return {[since](std::vector<effect>& list) {
            *since = *since || sends<fast_forward>(list);
            if (*since)
              change<propose>(list, [](propose& m) {
                const auto once = m.commands;
                m.commands.insert(m.commands.end(), once.begin(), once.end());
              });
          },
          nullptr};
}
/// The same from the first commands on that another member has handed to it.
bend proposes_twice_after_hand_off() {
  const auto since = std::make_shared<bool>(false);
  return {nullptr, [since](node_id&, box& message) {
            *since = *since || message.get<with_payload<me::HandOff>>() != nullptr;
            if (*since)
              change<propose>(message, [](propose& m) {
                const auto once = m.commands;
                m.commands.insert(m.commands.end(), once.begin(), once.end());
              });
            return true;
          }};
}
/// What else would see it first.
void without_mencius(options& how) {
  how.without = {"mencius"};
}

constexpr mutant of_every_node[] = {
    {.name = "a snapshot that leaves the log's old rows",
     .expected = "restart",
     .role = port::replica,
     .bends = bends_out<old_rows_stay>,
     .shape = snapshots_and_restarts},
    {.name = "founding that confirms what it has not saved",
     .expected = "restart",
     .role = port::founding,
     .bends = bends_out<confirms_unsaved>},
    {.name = "a barrier that keeps its token over a fast-forward",
     .expected = "barrier",
     .role = port::replica,
     .bends = barrier_keeps_its_token,
     .shape = overtaken_learners},
    {.name = "parts of two snapshots mixed",
     .role = port::sync,
     .bends = mixes_two_snapshots,
     .shape = snapshots_in_parts},
    {.name = "a request without an answer, where nodes are frozen at other times",
     .expected = "deadline",
     .role = port::edge,
     .bends = bends_out<keeps_silent>,
     .shape = all_frozen_once},
    {.name = "commands ordered twice, long after a fast-forward",
     .expected = "delivery",
     .role = port::replica,
     .bends = proposes_twice_for_ever,
     .plant = without_mencius,
     .shape = overtaken_learners},
};

constexpr mutant of_mencius[] = {
    {.name = "an unanswered hand-off put back as not in doubt",
     .expected = "refusal",
     .replace = with_proposer<no_doubt_after_hand_off>,
     .shape = lost_receipts},
    {.name = "a learner that does not go back on a fast-forward",
     .role = port::learner,
     .bends = does_not_go_back,
     .shape = overtaken_learners},
    {.name = "commands ordered twice, long after a hand-off",
     .expected = "delivery",
     .role = port::proposer,
     .bends = proposes_twice_after_hand_off,
     .plant = without_mencius,
     .shape = lost_receipts},
    {.name = "the mark of what is in doubt not kept",
     .expected = "refusal",
     .replace = with_proposer<doubt_is_not_kept>,
     .shape = late_hand_offs},
};

void catch_soon(std::span<const mutant> planted, const protocol& ordering) {
  for (const auto& c : hunt(planted, ordering, seeds_max)) {
    std::printf("%s, %s\n", ordering.name.c_str(), text(c).c_str());
    CHECK_MESSAGE(c.as_expected(), text(c));
  }
}

}  // namespace

TEST_CASE("each bug planted on a rare path of every node is caught within 500 seeds") {
  for (const auto& p : all_protocols())
    catch_soon(of_every_node, p);
}

TEST_CASE("each bug planted on a rare path of mencius is caught within 500 seeds") {
  catch_soon(of_mencius, *find_protocol("mencius"));
}

TEST_CASE("in the scenarios of rare paths nothing fails where nothing is planted") {
  for (const auto shape :
       {snapshots_and_restarts, snapshots_in_parts, overtaken_learners, lost_receipts, late_hand_offs})
    for (const auto& p : all_protocols()) {
      const mutant none{.name = "none", .shape = shape};
      for (const auto& f : false_alarms(none, p, 60)) {
        auto plan = scenario::from_seed(f.seed, none.members, p.name);
        shape(plan);
        FAIL_CHECK(p.name << ", seed " << f.seed << ": " << f.failure << "\n" << to_text({p.name, plan}));
      }
    }
}
