#include "runtime/state_agreement.hpp"

#include "protocols/quorum.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr std::size_t own_kept = 4'096;
constexpr std::size_t told_kept = 64;  // of each member

}  // namespace

state_agreement::state_agreement(node_id self, const std::vector<node_id>& members, const role_limits& memory)
    : self_(self), members_(members), own_kept_(memory.of("replica.hashes_max", own_kept)) {}

void state_agreement::own(log_index at, std::uint64_t hash) {
  own_[at] = hash;
  if (own_.size() > own_kept_)
    own_.erase(own_.begin());
}

std::optional<std::uint64_t> state_agreement::own_at(log_index at) const {
  const auto found = own_.find(at);
  return found == own_.end() ? std::nullopt : std::optional{found->second};
}

void state_agreement::heard(node_id from, log_index at, std::uint64_t hash) {
  if (hash == 0 || from == self_ || std::find(members_.begin(), members_.end(), from) == members_.end())
    return;
  auto& told = told_[from];
  // A member whose state was replaced tells of the same index again.
  told[at] = hash;
  if (told.size() > told_kept)
    told.erase(told.begin());
}

state_agreement::verdict state_agreement::judge() {
  std::set<log_index> places;
  for (const auto& [node, told] : told_)
    for (const auto& [at, hash] : told)
      places.insert(at);
  verdict out;
  for (const auto at : places)
    judge(at, out);
  return out;
}

void state_agreement::judge(log_index at, verdict& out) {
  std::map<std::uint64_t, std::size_t> votes;
  const auto mine = own_at(at);
  if (mine)
    ++votes[*mine];
  for (const auto& [node, told] : told_)
    if (const auto found = told.find(at); found != told.end()) {
      ++votes[found->second];
      if (mine && found->second != *mine)
        differing_.insert(node);
    }
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](auto& a, auto& b) { return a.second < b.second; });
  if (most == votes.end())
    return;
  if (!majority{members_.size()}.reached(most->second)) {
    if (votes.size() > 1)
      out.nobody_can_know = at;
    return;
  }
  // What this settles, it settles for all indices up to here.
  out.nobody_can_know.reset();
  if (mine && *mine == most->first)
    agreed_ = std::max(agreed_, at);
  else if (mine)
    out.differs = out.differs.value_or(at);
  for (const auto& [node, told] : told_)
    if (const auto found = told.find(at);
        found != told.end() && found->second != most->first && strayed_.insert(node).second)
      out.strayed.emplace(node, at);
}

}  // namespace quorate
