// What a replica does about states that differ.
#include "runtime/replica.hpp"

#include "actors/bytes.hpp"
#include "actors/last_words.hpp"
#include "actors/members.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr std::string_view quarantine_key = "q";  // where the state differs, and up to where it had agreed
constexpr duration dispute_told_after = 2s;       // until then a majority may still say whose state is right

}  // namespace

std::string replica::why_quarantined() const {
  return "this node's state differs from that of a majority of the members at index " +
         std::to_string(differs_->value) + ": it votes on, but serves nobody";
}

void replica::recover_quarantine(const journal_view& saved) {
  if (const auto row = saved.get(quarantine_key)) {
    byte_reader in{*row};
    differs_ = log_index{in.little<std::uint64_t>()};
    agreed_ = log_index{in.little<std::uint64_t>()};
    if (!in.ok())
      end_for("what was saved of the quarantine cannot be read");
  }
}

void replica::tell_state(wire::Applied& msg) const {
  msg.set_durable(differs_ ? std::min(agreed_, next()).value : next().value);
  msg.set_quarantined(differs_.has_value());
  const auto checked = next().value - next().value % state_agreement::every;
  msg.set_checked(checked);
  for (std::size_t i = 0; i < state_agreement::told_at_once && i * state_agreement::every < checked; ++i) {
    const auto known = agreement_.own_at(log_index{checked - i * state_agreement::every});
    if (!known)
      break;
    msg.add_hashes(*known);
  }
}

void replica::hear_state(node_id from, const wire::Applied& msg) {
  agreement_.heard(from, log_index{msg.next()}, msg.state_hash());
  auto at = msg.checked();
  for (std::size_t i = 0;
       i < state_agreement::told_at_once && i < static_cast<std::size_t>(msg.hashes_size()); ++i) {
    agreement_.heard(from, log_index{at}, msg.hashes(static_cast<int>(i)));
    if (at < state_agreement::every)
      break;
    at -= state_agreement::every;
  }
}

void replica::compare_states(out& o) {
  const auto found = agreement_.judge();
  for (const auto& [node, at] : found.strayed)
    o.note(severity::error, name_of(node, setup_.members) +
                                "'s state differs from that of a majority of the members at index " +
                                std::to_string(at.value) + ": it has to stop serving");
  if (found.differs && !differs_)
    enter_quarantine(*found.differs, o);
  mind_dispute(found.nobody_can_know, o);
}

void replica::mind_dispute(std::optional<log_index> at, out& o) {
  if (!at) {
    disputed_since_.reset();
    return;
  }
  if (!disputed_since_)
    disputed_since_ = o.now();
  if (dispute_told_ || o.now() - *disputed_since_ < dispute_told_after)
    return;
  dispute_told_ = true;
  std::string who;
  for (const auto node : agreement_.differing())
    who += (who.empty() ? "" : ", ") + name_of(node, setup_.members);
  o.note(severity::error,
         "the members' states differ at index " + std::to_string(at->value) +
             (who.empty() ? "" : " (this node's from that of " + who + ")") +
             ", and no majority of them agrees: nobody can know which is right, and all serve on");
}

void replica::enter_quarantine(log_index differs, out& o) {
  differs_ = differs;
  agreed_ = agreement_.agreed();
  std::string row;
  put_little(row, differs.value);
  put_little(row, agreed_.value);
  // Before anybody hears of it: from now on it holds for as long as this disk lives.
  o.save(std::string{quarantine_key}, row);
  o.note(severity::error,
         why_quarantined() + " any more (is the state machine not deterministic, or has a disk failed?)");
  std::map<node_id, outcomes> by_edge;
  client_outcomes of_clients;
  for (const auto& [id, who] : waiting_) {
    // They have been handed in, and what this node would answer is not to be believed.
    outcome result{id, errc::unknown_outcome, payload{why_quarantined()}};
    if (who.client)
      of_clients.list.push_back(std::move(result));
    else
      by_edge[who.node].list.push_back(std::move(result));
  }
  waiting_.clear();
  clients_waiting_ = clients_bytes_ = 0;
  if (!of_clients.list.empty())
    o.send(setup_.self, std::move(of_clients));
  for (auto& [edge, list] : by_edge)
    o.send(edge, std::move(list));
  begin_quarantine(o);
  told_ = {};  // others hear of it with the next tick
  tell_node(o);
}

void replica::begin_quarantine(out& o) {
  ask_for_barrier(reads_.clear(), o);
  // send_now: it only takes away.
  o.send_now(setup_.self, quarantined{payload{why_quarantined()}});
  o.send_now(setup_.self, stop_serving{});
}

}  // namespace quorate
