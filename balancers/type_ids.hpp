// CAF's numbers for the messages of balancers/; see actors/type_ids.hpp.
#pragma once

#include "actors/type_ids.hpp"
#include "balancers/messages.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(quorate_balancers, first_custom_type_id + 160)
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::route))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::routed))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::handover))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::route_mode))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::route_again))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::nodes_lost))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::feedback))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::nodes_seen))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::policy_change))
CAF_ADD_TYPE_ID(quorate_balancers, (quorate::balancer_figures))
CAF_END_TYPE_ID_BLOCK(quorate_balancers)

// Only `handover` leaves the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::route)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::routed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::route_mode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::route_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::nodes_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::feedback)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::nodes_seen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::policy_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::balancer_figures)
