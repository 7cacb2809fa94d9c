// CAF's numbers for the messages of runtime/; see actors/type_ids.hpp.
#pragma once

#include "actors/type_ids.hpp"
#include "balancers/type_ids.hpp"
#include "runtime/client_traffic.hpp"
#include "runtime/founding.hpp"
#include "runtime/membership.hpp"
#include "runtime/replica.hpp"
#include "sync/type_ids.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(quorate_runtime, first_custom_type_id + 150)
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::founded))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::not_founded))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::connectivity))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::replica_figures))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::client_submission))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::client_outcomes))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::replica_load))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::admission))
CAF_ADD_TYPE_ID(quorate_runtime, (quorate::disk_room))
CAF_END_TYPE_ID_BLOCK(quorate_runtime)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::founded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::not_founded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::connectivity)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::replica_figures)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_submission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_outcomes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::replica_load)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::admission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::disk_room)
