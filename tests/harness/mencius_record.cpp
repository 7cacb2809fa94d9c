#include "tests/harness/mencius_record.hpp"

#include "protocols/mencius/ballots.hpp"

#include <bit>

namespace quorate::testing {

namespace {

using mencius::lane;
using mencius::slot;

std::vector<node_id> first_nodes(std::size_t count) {
  std::vector<node_id> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.emplace_back(i);
  return out;
}

std::uint64_t bit_of(node_id n) {
  return std::uint64_t{1} << (n.value - 1);
}

std::size_t count(std::uint64_t voters) {
  return static_cast<std::size_t>(std::popcount(voters));
}

}  // namespace

mencius_record::mencius_record(std::size_t members)
    : lanes_(first_nodes(members)), quorum_(members), by_lane_(members) {}

bool mencius_record::founder(const place& p) const {
  const auto known = founders_.find(p.node);
  return known == founders_.end() || known->second == p.disk;
}

void mencius_record::add(const place& from, const box& message) {
  contradiction_.reset();
  if (from.role != port::proposer && from.role != port::acceptor)
    return;
  founders_.emplace(from.node, from.disk);
  if (!founder(from))
    return;
  if (const auto* votes = message.get<mencius::Votes>()) {
    for (const auto& v : votes->slots())
      add(from, v);
    for (const auto& v : votes->noops())
      add(from, v);
  } else if (const auto* suggest = message.get<with_payload<mencius::Suggest>>()) {
    add(from, suggest->head);
  } else if (const auto* prepare = message.get<mencius::Prepare>()) {
    prepared_.emplace(quorate::from_wire(prepare->ballot()),
                      span_of(prepare->lane(), prepare->from(), prepare->to()));
  } else if (const auto* own = message.get<mencius::OwnClaim>()) {
    if (own->claim().lane() == lanes_.of(from.node))
      claim(span_of(own->claim().lane(), own->claim().from(), own->claim().upto()));
  }
}

void mencius_record::add(const place& from, const mencius::Suggest& m) {
  const auto l = lanes_.of(m.slot());
  if (lanes_.owner(l) != from.node)
    return;
  by_lane_[l].suggested.emplace(lanes_.position(m.slot()), quorate::from_wire(m.id()));
  suggested_end_ = std::max(suggested_end_, m.slot() + 1);
  if (m.since() < m.slot())
    claim(span_of(l, m.since(), m.slot()));
}

void mencius_record::add(const place& from, const mencius::SlotVote& m) {
  const auto at = quorate::from_wire(m.ballot());
  const auto id = quorate::from_wire(m.id());
  const auto where = "slot " + std::to_string(m.slot()) + ": ";
  const auto [known, fresh] = tallies_.try_emplace({m.slot(), at}, tally{id, 0});
  auto& votes = known->second;
  if (votes.id != id) {
    contradict(where + "votes for " + text(votes.id) + " and " + text(id) + ", both at " + text(at));
    return;
  }
  if ((votes.voters & bit_of(from.node)) != 0)
    return;
  votes.voters |= bit_of(from.node);
  if (count(votes.voters) != quorum_.size())
    return;
  auto& here = by_lane_[lanes_.of(m.slot())];
  const auto position = lanes_.position(m.slot());
  const auto [before, first] = here.chosen.emplace(position, id);
  chosen_end_ = std::max(chosen_end_, m.slot() + 1);
  if (!first && before->second != id)
    contradict(where + text(before->second) + " and " + text(id) + " are both chosen");
  if (here.noops.find(position) != nullptr)
    contradict(where + "a no-op and " + text(id) + " are both chosen");
  if (here.claimed.find(position) != nullptr)
    contradict(where + "its owner has skipped it, and " + text(id) + " is chosen");
}

void mencius_record::add(const place& from, const mencius::NoopVote& m) {
  const auto at = quorate::from_wire(m.ballot());
  const auto range = mencius::span_of(m);
  if (range.which >= lanes_.size())
    return;
  auto& tally = noop_tallies_.try_emplace(at, noop_tally{range.which, {}}).first->second;
  if (tally.which != range.which) {
    contradict("no-ops in two lanes, both at " + text(at));
    return;
  }
  mencius::for_each_part(lanes_, range, m.but(), [&](std::uint64_t begin, std::uint64_t end) {
    while (begin < end) {
      const auto it = tally.voters.first_behind(begin);
      auto stop = end;
      std::uint64_t voters = 0;
      if (it != tally.voters.end() && it->first <= begin) {
        stop = std::min(end, it->second.end);
        voters = it->second.value;
      } else if (it != tally.voters.end()) {
        stop = std::min(end, it->first);
      }
      const auto now = voters | bit_of(from.node);
      if (now != voters)
        tally.voters.assign(begin, stop, now);
      if (now != voters && count(now) == quorum_.size()) {
        by_lane_[range.which].noops.assign(begin, stop, true);
        empty({range.which, begin, stop}, "are chosen to be no-ops");
      }
      begin = stop;
    }
  });
}

void mencius_record::claim(const mencius_span& skipped) {
  auto& here = by_lane_[skipped.which];
  if (skipped.begin >= skipped.end || here.claimed.gap_from(skipped.begin) >= skipped.end)
    return;
  here.claimed.assign(skipped.begin, skipped.end, true);
  empty(skipped, "are skipped by their owner");
}

void mencius_record::empty(const mencius_span& part, std::string_view why) {
  auto& here = by_lane_[part.which];
  here.empty.assign(part.begin, part.end, true);
  const auto batch = here.chosen.lower_bound(part.begin);
  if (batch != here.chosen.end() && batch->first < part.end)
    contradict("slots " + std::to_string(lanes_.slot_at(part.which, part.begin)) + " to below " +
               std::to_string(lanes_.slot_at(part.which, part.end)) + " " + std::string{why} + ", and " +
               text(batch->second) + " is chosen in " +
               std::to_string(lanes_.slot_at(part.which, batch->first)));
}

const batch_id* mencius_record::chosen(slot s) const {
  const auto& list = by_lane_[lanes_.of(s)].chosen;
  const auto found = list.find(lanes_.position(s));
  return found == list.end() ? nullptr : &found->second;
}

const batch_id* mencius_record::suggested(slot s) const {
  const auto& list = by_lane_[lanes_.of(s)].suggested;
  const auto found = list.find(lanes_.position(s));
  return found == list.end() ? nullptr : &found->second;
}

std::optional<slot> mencius_record::not_empty(lane l, slot from, slot to) const {
  const auto range = span_of(l, from, to);
  if (range.begin >= range.end)
    return std::nullopt;
  const auto gap = by_lane_[l].empty.gap_from(range.begin);
  return gap < range.end ? std::optional{lanes_.slot_at(l, gap)} : std::nullopt;
}

std::optional<slot> mencius_record::not_empty(slot from, slot to) const {
  std::optional<slot> first;
  for (lane l = 0; l < lanes_.size(); ++l)
    if (const auto s = not_empty(l, from, to); s && (!first || *s < *first))
      first = s;
  return first;
}

const mencius_span* mencius_record::prepared(const ballot& at) const {
  const auto found = prepared_.find(at);
  return found == prepared_.end() ? nullptr : &found->second;
}

}  // namespace quorate::testing
