// Planted bugs in the acceptors of mencius.
#include "protocols/registry.hpp"
#include "tests/simulation/mencius_mutants.hpp"

using namespace quorate;
using namespace quorate::testing;

namespace {

void vote_before_save(std::vector<effect>& list) {
  send_at_once<me::Saved>(list);
}
void promise_before_save(std::vector<effect>& list) {
  send_at_once<me::Promise>(list);
}
bend range_vote_before_save() {
  const auto range = std::make_shared<bool>(false);
  return {[range](auto& list) {
            if (*range)
              send_at_once<me::Saved>(list);
          },
          [range](node_id&, box& message) {
            *range = message.get<me::AcceptNoops>() != nullptr;
            return true;
          }};
}
/// The suggestion that is being handled, as a vote for it.
me::Votes vote_for(const with_payload<me::Suggest>& m) {
  me::Votes votes;
  votes.set_high(m.head.high());
  auto* v = votes.add_slots();
  v->set_slot(m.head.slot());
  v->set_since(m.head.since());
  *v->mutable_id() = m.head.id();
  return votes;
}
using last_suggestion = std::shared_ptr<std::optional<with_payload<me::Suggest>>>;
auto remembers(last_suggestion last) {
  return [last](node_id&, box& message) {
    last->reset();
    if (const auto* m = message.get<with_payload<me::Suggest>>())
      *last = *m;
    return true;
  };
}
bend vote_under_a_promise() {
  const auto last = std::make_shared<std::optional<with_payload<me::Suggest>>>();
  return {[last](auto& list) {
            bool refused = false;
            drop<me::Nack>(list, [&](const me::Nack&) { return refused = last->has_value(); });
            if (refused)
              say_more(list, all_members, vote_for(**last));
          },
          remembers(last)};
}
bend own_vote_unsaved() {
  const auto last = std::make_shared<std::optional<with_payload<me::Suggest>>>();
  return {[last](auto& list) {
            const auto saves = std::any_of(list.begin(), list.end(), [](const effect& e) {
              return std::holds_alternative<save_effect>(e);
            });
            std::vector<node_id> self;
            for (const auto& e : list)
              if (const auto* s = std::get_if<send_effect>(&e);
                  s != nullptr && s->message.template get<with_payload<me::Body>>() != nullptr)
                self = s->to;
            if (*last && saves && !self.empty())
              say_more(list, self, vote_for(**last));
          },
          remembers(last)};
}
/// A vote above ballot 0 that leaves the promise where it was.
bend accept_without_promise() {
  const auto last = std::make_shared<std::optional<me::NoopVote>>();
  return {[last](auto& list) {
            if (!*last)
              return;
            list.clear();
            me::Votes votes;
            *votes.add_noops() = **last;
            say_more(list, all_members, std::move(votes));
          },
          [last](node_id&, box& message) {
            last->reset();
            if (const auto* m = message.get<me::AcceptNoops>()) {
              *last = m->vote();
              message = box::of(me::BarrierQuery{});
            }
            return true;
          }};
}
/// The same, but seen only after a restart.
bend accept_saves_no_promise() {
  const auto accepts = std::make_shared<bool>(false);
  return {[accepts](auto& list) {
            if (*accepts)
              lose_saves(list, "p");
          },
          [accepts](node_id&, box& message) {
            *accepts = message.get<me::AcceptNoops>() != nullptr ||
                       message.get<with_payload<me::Accept>>() != nullptr;
            return true;
          }};
}
bool only_the_first_slot(node_id&, box& message) {
  change<me::Prepare>(message,
                      [](auto& m) { m.set_to(std::min<me::slot>(m.to(), m.from() + all_members.size())); });
  return true;
}
void lose_floor(std::vector<effect>& list) {
  lose_saves(list, "f");
}
/// To a Prepare over what is forgotten: that there was never a vote.
bend forgotten_as_empty() {
  const auto asked = std::make_shared<std::optional<wire::Ballot>>();
  return {[asked](auto& list) {
            for (auto& e : list) {
              auto* s = std::get_if<send_effect>(&e);
              if (!*asked || s == nullptr || s->message.template get<me::Forgotten>() == nullptr)
                continue;
              me::Promise empty;
              *empty.mutable_ballot() = **asked;
              s->message = box::of(std::move(empty));
            }
          },
          [asked](node_id&, box& message) {
            asked->reset();
            if (const auto* m = message.get<me::Prepare>())
              *asked = m->ballot();
            return true;
          }};
}
bend barrier_without_floor() {
  const auto floor = std::make_shared<std::uint64_t>(0);
  return {[floor](auto& list) {
            change<me::BarrierReply>(list, [&](auto& m) {
              if (m.high() <= *floor)
                m.set_high(0);
            });
          },
          [floor](node_id&, box& message) {
            if (const auto* m = message.get<forget>())
              *floor = m->at.value;
            return true;
          }};
}
void voting_wiped_disk(options& how) {
  how.mutants.wiped_votes = true;
  how.without = {"wiped disk"};
}
void forgetful_acceptor(options& how) {
  how.mutants.forgetful = port::acceptor;
}

constexpr mutant planted[] = {
    {.name = "a vote before its save", .role = port::acceptor, .bends = bends_out<vote_before_save>},
    {.name = "a vote for a range before its save", .role = port::acceptor, .bends = range_vote_before_save},
    {.name = "the own vote counted before its save", .role = port::acceptor, .bends = own_vote_unsaved},
    {.name = "a promise before its save", .role = port::acceptor, .bends = bends_out<promise_before_save>},
    {.name = "a vote at ballot 0 under a promise",
     .expected = "M3 promises",
     .role = port::acceptor,
     .bends = vote_under_a_promise},
    {.name = "a vote that is no promise",
     .expected = "M3 promises",
     .role = port::acceptor,
     .bends = accept_without_promise},
    {.name = "a vote whose promise is not saved", .role = port::acceptor, .bends = accept_saves_no_promise},
    {.name = "a promise for the first slot of a range only",
     .expected = "M3 promises",
     .role = port::acceptor,
     .bends = bends_in<only_the_first_slot>},
    {.name = "an acceptor that forgets everything", .plant = forgetful_acceptor},
    {.name = "a wiped disk that votes", .plant = voting_wiped_disk},
    {.name = "a floor that is not saved",
     .role = port::acceptor,
     .bends = bends_out<lose_floor>,
     .shape = much_is_forgotten},
    {.name = "forgotten votes answered as none",
     .expected = "M9 forgetting",
     .role = port::acceptor,
     .bends = forgotten_as_empty,
     .shape = much_is_forgotten},
    {.name = "a barrier answered without the floor",
     .expected = "M8 barrier",
     .role = port::acceptor,
     .bends = barrier_without_floor,
     .shape = much_is_forgotten},
};

}  // namespace

TEST_CASE("each bug planted in an acceptor of mencius is caught by its check") {
  catch_all(planted, *find_protocol("mencius"));
}
