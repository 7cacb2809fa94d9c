// CAF's numbers for the messages of `paxos`. They go over the wire: append only.
#pragma once

#include "actors/type_ids.hpp"
#include "protocols/paxos/ports.hpp"

namespace quorate::paxos {

// Where CAF looks for it.
using wire::inspect;

}  // namespace quorate::paxos

CAF_BEGIN_TYPE_ID_BLOCK(quorate_paxos, first_custom_type_id + 200)
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Prepare))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::with_payload<quorate::paxos::Promise>))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Nack))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::with_payload<quorate::paxos::Accept>))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::with_payload<quorate::paxos::Accepted>))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Ask))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Forgotten))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::BarrierQuery))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::BarrierReply))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Position))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Decided))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Advanced))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::Takeover))
CAF_ADD_TYPE_ID(quorate_paxos, (quorate::paxos::InUse))
CAF_END_TYPE_ID_BLOCK(quorate_paxos)
