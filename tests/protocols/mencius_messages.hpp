// Short forms of mencius messages, for tests.
#pragma once

#include "protocols/mencius/lanes.hpp"
#include "protocols/mencius/ports.hpp"

namespace quorate::testing {

namespace me = quorate::mencius;

inline const payload two_bytes{"ab"};

inline batch_id batch_number(node_id node, std::uint64_t number) {
  return {node, boot_id{1}, number};
}

inline with_payload<me::Suggest> suggest(me::slot s, const batch_id& id, me::slot since) {
  with_payload<me::Suggest> m{{}, two_bytes};
  m.head.set_slot(s);
  m.head.set_since(since);
  to_wire(id, m.head.mutable_id());
  m.head.set_high(s + 1);
  return m;
}

inline me::Prepare prepare_lane(me::lane l, me::slot from, me::slot to, const ballot& b) {
  me::Prepare m;
  m.set_lane(l);
  m.set_from(from);
  m.set_to(to);
  to_wire(b, m.mutable_ballot());
  return m;
}

inline me::AcceptNoops accept_noops(me::lane l, me::slot from, me::slot to, const ballot& b,
                                    std::vector<me::slot> but = {}) {
  me::AcceptNoops m;
  m.mutable_vote()->set_lane(l);
  m.mutable_vote()->set_from(from);
  m.mutable_vote()->set_to(to);
  to_wire(b, m.mutable_vote()->mutable_ballot());
  for (const auto s : but)
    m.mutable_vote()->add_but(s);
  return m;
}

inline with_payload<me::Accept> accept_batch(me::slot s, const ballot& b, const batch_id& id) {
  with_payload<me::Accept> m{{}, two_bytes};
  m.head.set_slot(s);
  to_wire(b, m.head.mutable_ballot());
  to_wire(id, m.head.mutable_id());
  return m;
}

inline me::SlotVote slot_vote(me::slot s, const ballot& b, const batch_id& id, me::slot since = 0) {
  me::SlotVote v;
  v.set_slot(s);
  if (b != ballot{})
    to_wire(b, v.mutable_ballot());
  to_wire(id, v.mutable_id());
  v.set_since(since);
  return v;
}

inline me::Votes votes(std::vector<me::SlotVote> slots) {
  me::Votes m;
  for (auto& v : slots) {
    m.set_high(std::max(m.high(), v.slot() + 1));
    *m.add_slots() = std::move(v);
  }
  return m;
}

inline me::Votes claim_of(me::lane l, me::slot from, me::slot upto) {
  me::Votes m;
  m.mutable_claim()->set_lane(l);
  m.mutable_claim()->set_from(from);
  m.mutable_claim()->set_upto(upto);
  return m;
}

inline with_payload<me::Body> body(me::slot s, const batch_id& id) {
  with_payload<me::Body> m{{}, two_bytes};
  m.head.set_slot(s);
  to_wire(id, m.head.mutable_id());
  return m;
}

inline me::Promise promise_of(const ballot& b, std::vector<me::SlotVote> slots = {}) {
  me::Promise m;
  to_wire(b, m.mutable_ballot());
  for (auto& v : slots)
    *m.add_slots() = std::move(v);
  return m;
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace quorate::testing
