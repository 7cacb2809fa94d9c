// Which role each message of `paxos` is for, and the short forms that its roles share.
#pragma once

#include "actors/command.hpp"
#include "actors/message.hpp"
#include "protocols/paxos/paxos.pb.h"
#include "protocols/wire.hpp"

namespace quorate {

template <>
inline constexpr port destination_of<paxos::Prepare> = port::acceptor;
template <>
inline constexpr port destination_of<with_payload<paxos::Accept>> = port::acceptor;
template <>
inline constexpr port destination_of<paxos::Ask> = port::acceptor;
template <>
inline constexpr port destination_of<paxos::BarrierQuery> = port::acceptor;

template <>
inline constexpr port destination_of<with_payload<paxos::Promise>> = port::proposer;
template <>
inline constexpr port destination_of<paxos::Nack> = port::proposer;
template <>
inline constexpr port destination_of<paxos::Decided> = port::proposer;
template <>
inline constexpr port destination_of<paxos::Advanced> = port::proposer;
template <>
inline constexpr port destination_of<paxos::Takeover> = port::proposer;
template <>
inline constexpr port destination_of<paxos::InUse> = port::proposer;

template <>
inline constexpr port destination_of<with_payload<paxos::Accepted>> = port::learner;
template <>
inline constexpr port destination_of<paxos::Forgotten> = port::learner;
template <>
inline constexpr port destination_of<paxos::BarrierReply> = port::learner;
template <>
inline constexpr port destination_of<paxos::Position> = port::learner;

namespace paxos {

/// Position in the protocol's order, from 1; the value of a cursor. 0 is before everything.
using slot = std::uint64_t;

/// What a slot may hold: a batch, with or without its bytes at hand.
struct value {
  batch_id id;
  bool noop = false;
  payload body;

  /// False where only the name is known.
  [[nodiscard]] bool complete() const { return noop || !body.empty(); }
  [[nodiscard]] quorate::batch batch() const { return {id, body}; }
};

[[nodiscard]] inline value from_wire(const Value& name, payload body) {
  return {quorate::from_wire(name.id()), name.noop(), std::move(body)};
}

inline void to_wire(const value& x, Value* out) {
  quorate::to_wire(x.id, out->mutable_id());
  out->set_noop(x.noop);
}

}  // namespace paxos

}  // namespace quorate
