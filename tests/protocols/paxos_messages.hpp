// Short forms of paxos messages, for tests.
#pragma once

#include "protocols/paxos/ports.hpp"

namespace quorate::testing {

namespace px = quorate::paxos;

/// A batch "number" of a node's first boot, with two bytes, or a no-op.
inline px::value batch_of(node_id node, std::uint64_t number) {
  return {{node, boot_id{1}, number}, false, payload{"ab"}};
}
inline px::value noop_of(node_id node, std::uint64_t number) {
  return {{node, boot_id{1}, number}, true, {}};
}

inline px::Prepare prepare(px::slot s, ballot b) {
  px::Prepare m;
  m.set_slot(s);
  to_wire(b, m.mutable_ballot());
  return m;
}

inline with_payload<px::Promise> promise(px::slot s, ballot b, px::slot highest = 0) {
  with_payload<px::Promise> m;
  m.head.set_slot(s);
  to_wire(b, m.head.mutable_ballot());
  m.head.set_highest_used(highest);
  return m;
}

inline with_payload<px::Promise> promise(px::slot s, ballot b, ballot voted, const px::value& v) {
  auto m = promise(s, b);
  to_wire(voted, m.head.mutable_voted());
  to_wire(v, m.head.mutable_value());
  m.body = v.body;
  return m;
}

inline px::Nack nack(px::slot s, ballot b, ballot promised) {
  px::Nack m;
  m.set_slot(s);
  to_wire(b, m.mutable_ballot());
  to_wire(promised, m.mutable_promised());
  return m;
}

inline with_payload<px::Accept> accept(px::slot s, ballot b, const px::value& v) {
  with_payload<px::Accept> m{{}, v.body};
  m.head.set_slot(s);
  to_wire(b, m.head.mutable_ballot());
  to_wire(v, m.head.mutable_value());
  return m;
}

inline with_payload<px::Accepted> accepted(px::slot s, ballot b, const px::value& v, bool body = false) {
  with_payload<px::Accepted> m{{}, body ? v.body : payload{}};
  m.head.set_slot(s);
  to_wire(b, m.head.mutable_ballot());
  to_wire(v, m.head.mutable_value());
  return m;
}

inline px::Decided decided(px::slot s, const px::value& v) {
  px::Decided m;
  m.set_slot(s);
  to_wire(v, m.mutable_value());
  return m;
}

template <class M>
M about_slot(px::slot s) {
  M m;
  m.set_slot(s);
  return m;
}

inline px::Ask ask(px::slot from, px::slot to, bool bodies) {
  px::Ask m;
  m.set_from(from);
  m.set_to(to);
  m.set_bodies(bodies);
  return m;
}

inline px::Forgotten forgotten(px::slot floor) {
  px::Forgotten m;
  m.set_floor(floor);
  return m;
}

inline px::Position position(px::slot next, px::slot highest) {
  px::Position m;
  m.set_next(next);
  m.set_highest_used(highest);
  return m;
}

inline px::BarrierReply barrier_reply(std::uint64_t token, px::slot highest, std::uint64_t boot = 1) {
  px::BarrierReply m;
  m.set_token(token);
  m.set_boot(boot);
  m.set_highest_voted(highest);
  return m;
}

}  // namespace quorate::testing
