// CAF's numbers for the messages of actors/. They go over the wire: append only. Blocks begin at
// first_custom_type_id + 100 k: k = 0 here, 1 runtime and sync, 2 paxos, 3 mencius, 4 raft; users begin
// at 10.
#pragma once

#include "actors/journal.hpp"
#include "actors/messages.pb.h"
#include "actors/origin.hpp"
#include "actors/protobuf_inspect.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include <caf/actor_control_block.hpp>

namespace quorate {

namespace wire {
QUORATE_INSPECT_PROTOBUF
}  // namespace wire

/// role -> journal: make these durable, then tell the role.
struct journal_write {
  std::vector<journal_op> ops;
  bool sync = false;
  std::uint64_t ticket = 0;
  caf::strong_actor_ptr role;
};

/// journal -> role: the write with this ticket, and all before it, are durable.
struct journal_done {
  std::uint64_t ticket = 0;
};

/// Whoever spawned a role -> role: all your neighbours have an address now.
struct start_role {};

/// alarm clock -> role: this time has come.
struct role_alarm {
  time_point at{};
};

/// role -> row reader.
struct journal_fetch {
  journal_space space;
  read_effect what;
  caf::strong_actor_ptr role;
};

}  // namespace quorate

CAF_BEGIN_TYPE_ID_BLOCK(quorate_actors, first_custom_type_id)
CAF_ADD_TYPE_ID(quorate_actors, (quorate::origin))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::client_requests))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::client_replies))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::submission))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::outcomes))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::withdraw))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::withdrawn))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::queries))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::drop_queries))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::query_results))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::read_job))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::propose))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::take_back))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::not_ordered))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::delivered))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::fast_forward))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::forget))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::barrier))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::reached))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::fell_behind))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::journal_write))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::journal_done))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::journal_fetch))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::journal_rows))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::wire::Hello))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::wire::Heartbeat))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::wire::Applied))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::start_role))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::ready))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::quarantined))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::role_alarm))
CAF_ADD_TYPE_ID(quorate_actors, (quorate::role_identity))
CAF_END_TYPE_ID_BLOCK(quorate_actors)

// These never leave the process, so nobody needs to serialize them.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_requests)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::client_replies)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::withdraw)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::withdrawn)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::queries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::drop_queries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::query_results)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::read_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::propose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::take_back)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::not_ordered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::delivered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::fast_forward)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::forget)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::barrier)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::fell_behind)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::journal_write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::journal_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::journal_fetch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::journal_rows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::start_role)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::quarantined)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::role_alarm)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quorate::role_identity)
