// CAF's numbers for the messages of `mencius`. They go over the wire: append only.
#pragma once

#include "actors/type_ids.hpp"
#include "protocols/mencius/ports.hpp"

namespace quorate::mencius {

// Where CAF looks for it.
using wire::inspect;

}  // namespace quorate::mencius

CAF_BEGIN_TYPE_ID_BLOCK(quorate_mencius, first_custom_type_id + 300)
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::Suggest>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Prepare))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::AcceptNoops))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::Accept>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Recall))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::BarrierQuery))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Saved))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::OwnClaim))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Promise))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::Found>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Nack))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Slow))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::HandOff>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::HandedOver))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Reserved))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::InUse))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Promised))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Decided))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Voided))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Advanced))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Revoke))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Votes))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::Body>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Position))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Ask))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Facts))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::with_payload<quorate::mencius::Chosen>))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Forgotten))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::BarrierReply))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Began))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Moved))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Tell))
CAF_ADD_TYPE_ID(quorate_mencius, (quorate::mencius::Refused))
CAF_END_TYPE_ID_BLOCK(quorate_mencius)
