#include "protocols/mencius/tallies.hpp"

#include <bit>

namespace quorate::mencius {

tallies::result tallies::add(node_id voter, slot s, const slot_vote& v, time_point now) {
  result out;
  if (slots_.size() >= limits_.slots_max && !slots_.contains(s)) {
    out.full = true;
    if (slots_.rbegin()->first < s)
      return out;  // can be asked for again when its turn comes
    slots_.erase(std::prev(slots_.end()));
  }
  const auto [entry, fresh] = slots_.try_emplace(s);
  auto& p = entry->second;
  if (fresh)
    p.since = now;
  auto& t = p.by_ballot.try_emplace(v.at, tally{v.id, {}}).first->second;
  ENSURE(t.id == v.id, "mencius learner: slot " + std::to_string(s) + " has votes for " + text(t.id) +
                           " and " + text(v.id) + ", both at " + text(v.at));
  t.voters.add(voter);
  out.chosen = quorum_.reached(t.voters.size());
  out.fresh = fresh;
  out.since = p.since;
  if (!out.chosen && p.by_ballot.size() > limits_.ballots_max) {
    out.full = true;
    p.by_ballot.erase(p.by_ballot.begin());
  }
  return out;
}

tallies::noop_result tallies::add(node_id voter, const NoopVote& vote) {
  noop_result out;
  auto& here = noops_[vote.lane()];
  auto& count = here[quorate::from_wire(vote.ballot())];
  const auto bit = voters_of{1} << lanes_.of(voter);
  for_each_part(lanes_, span_of(vote), vote.but(), [&](std::uint64_t begin, std::uint64_t end) {
    while (begin < end) {
      const auto it = count.first_behind(begin);
      const auto covered = it != count.end() && it->first <= begin;
      const auto stop = it == count.end() ? end : std::min(end, covered ? it->second.end : it->first);
      const auto voters = bit | (covered ? it->second.value : 0);
      count.assign(begin, stop, voters);
      if (quorum_.reached(static_cast<std::size_t>(std::popcount(voters))))
        out.chosen.emplace_back(begin, stop);
      begin = stop;
    }
  });
  if (here.size() > limits_.ballots_max) {
    out.full = true;
    here.erase(here.begin());
  }
  return out;
}

std::vector<node_id> tallies::voters(slot s, const batch_id& id) const {
  const auto found = slots_.find(s);
  if (found != slots_.end())
    for (const auto& [at, t] : found->second.by_ballot)
      if (t.id == id && !t.voters.voters().empty())
        return t.voters.voters();
  return {};
}

void tallies::drop_below(slot s) {
  slots_.erase(slots_.begin(), slots_.lower_bound(s));
  for (lane l = 0; l < lanes_.size(); ++l) {
    const auto end = lanes_.positions_below(l, s);
    for (auto it = noops_[l].begin(); it != noops_[l].end();) {
      it->second.clear(0, end);
      it = it->second.empty() ? noops_[l].erase(it) : std::next(it);
    }
  }
}

}  // namespace quorate::mencius
