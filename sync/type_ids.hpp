// CAF's numbers for the messages of sync/; see actors/type_ids.hpp.
#pragma once

#include "actors/type_ids.hpp"
#include "sync/messages.hpp"

namespace quorate::sync::wire {
QUORATE_INSPECT_PROTOBUF
}  // namespace quorate::sync::wire

CAF_BEGIN_TYPE_ID_BLOCK(quorate_sync, first_custom_type_id + 100)
CAF_ADD_TYPE_ID(quorate_sync, (quorate::sync::wire::Pull))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::sync::wire::Credit))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::with_payload<quorate::sync::wire::Entries>))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::with_payload<quorate::sync::wire::SnapshotPart>))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::sync::wire::NothingNewer))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::catch_up))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::fetch_log))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::log_part))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::log_gone))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::apply_entries))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::stage_snapshot))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::came_to))
CAF_ADD_TYPE_ID(quorate_sync, (quorate::stop_serving))
CAF_END_TYPE_ID_BLOCK(quorate_sync)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::catch_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::fetch_log)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::log_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::log_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::apply_entries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::stage_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::came_to)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::stop_serving)
