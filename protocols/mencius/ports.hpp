// Which role each message of `mencius` is for.
#pragma once

#include "actors/command.hpp"
#include "actors/message.hpp"
#include "protocols/mencius/mencius.pb.h"
#include "protocols/wire.hpp"

namespace quorate {

template <>
inline constexpr port destination_of<with_payload<mencius::Suggest>> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::Prepare> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::AcceptNoops> = port::acceptor;
template <>
inline constexpr port destination_of<with_payload<mencius::Accept>> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::Recall> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::BarrierQuery> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::Saved> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::OwnClaim> = port::acceptor;
template <>
inline constexpr port destination_of<mencius::Moved> = port::acceptor;

template <>
inline constexpr port destination_of<mencius::Promise> = port::proposer;
template <>
inline constexpr port destination_of<with_payload<mencius::Found>> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Nack> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Slow> = port::proposer;
template <>
inline constexpr port destination_of<with_payload<mencius::HandOff>> = port::proposer;
template <>
inline constexpr port destination_of<mencius::HandedOver> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Reserved> = port::proposer;
template <>
inline constexpr port destination_of<mencius::InUse> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Promised> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Decided> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Voided> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Advanced> = port::proposer;
template <>
inline constexpr port destination_of<mencius::Revoke> = port::proposer;

template <>
inline constexpr port destination_of<mencius::Votes> = port::learner;
template <>
inline constexpr port destination_of<with_payload<mencius::Body>> = port::learner;
template <>
inline constexpr port destination_of<mencius::Position> = port::learner;
template <>
inline constexpr port destination_of<mencius::Ask> = port::learner;
template <>
inline constexpr port destination_of<mencius::Facts> = port::learner;
template <>
inline constexpr port destination_of<with_payload<mencius::Chosen>> = port::learner;
template <>
inline constexpr port destination_of<mencius::Forgotten> = port::learner;
template <>
inline constexpr port destination_of<mencius::BarrierReply> = port::learner;
template <>
inline constexpr port destination_of<mencius::Began> = port::learner;
template <>
inline constexpr port destination_of<mencius::Tell> = port::learner;
template <>
inline constexpr port destination_of<mencius::Refused> = port::learner;

}  // namespace quorate
