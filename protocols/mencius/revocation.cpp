#include "protocols/mencius/revocation.hpp"

namespace quorate::mencius {

bool revocation::promised(node_id from, const Promise& msg, const majority& quorum) {
  if (decided_ || !promises_.add(from))
    return false;
  for (const auto& one : msg.noops()) {
    const auto range = span_of(one);
    noops_.raise(range.first(lanes_), range.last(lanes_), quorate::from_wire(one.ballot()));
  }
  for (const auto& one : msg.slots()) {
    const auto vote = from_wire(one);
    const auto [known, fresh] = batches_.try_emplace(one.slot(), vote);
    if (fresh)
      continue;
    // Equal ballots carry equal batches: either will do.
    ENSURE(known->second.at != vote.at || known->second.id == vote.id,
           "mencius: slot " + std::to_string(one.slot()) + " has two batches at ballot " + text(vote.at));
    if (known->second.at < vote.at)
      known->second = vote;
  }
  if (!quorum.reached(promises_.size()))
    return false;
  decided_ = true;
  std::erase_if(batches_, [&](const auto& entry) {
    const auto* noop = noops_.find(lanes_.position(entry.first));
    // At one ballot one proposer has proposed either.
    return noop != nullptr && *noop > entry.second.at;
  });
  return true;
}

void revocation::found(slot s, const batch_id& id, payload body) {
  if (range_.from <= s && s < range_.to)
    bodies_[s].try_emplace(id, std::move(body));
}

std::optional<std::pair<slot, batch>> revocation::next_batch() {
  for (const auto& [s, vote] : batches_) {
    if (proposed_.contains(s))
      continue;
    const auto bodies = bodies_.find(s);
    if (bodies == bodies_.end())
      continue;
    const auto body = bodies->second.find(vote.id);
    if (body == bodies->second.end())
      continue;
    proposed_.insert(s);
    return std::pair{s, batch{vote.id, body->second}};
  }
  return std::nullopt;
}

}  // namespace quorate::mencius
