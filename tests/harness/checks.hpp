// The checks that every run has, whatever the protocol and the state machine.
#pragma once

#include "runtime/sessions.hpp"
#include "tests/harness/ledger.hpp"

namespace quorate::testing {

/// Agreement, validity, integrity: learners deliver the same batches at the same cursors in the same order,
/// without gaps, nothing that no client has asked for, and no command twice. But one that a proposer had been
/// asked for, and had not seen delivered, when a fast-forward passed it may come again, and one that was handed to
/// another node.
[[nodiscard]] std::unique_ptr<check> delivery_check(verdict& result, const ledger& ordered);

/// Replicas change their states in the same way at the same index, one index after the other; at an index all
/// states are equal, however they came there; and so they are at the end.
[[nodiscard]] std::unique_ptr<check> state_check(verdict& result);

/// A node comes back from a crash at least as far as it has told others to be durable: its replica where it
/// stood, its founding where it was.
[[nodiscard]] std::unique_ptr<check> restart_check(verdict& result);

/// Replicas execute what was delivered at an index, once, and of it exactly what a dumb model of the sessions
/// lets through; they answer what they have executed, and never in two ways.
[[nodiscard]] std::unique_ptr<check> execution_check(verdict& result, const ledger& ordered,
                                                     const session_limits& limits);

/// What a client was told would never be executed never is, and was not.
[[nodiscard]] std::unique_ptr<check> refusal_check(verdict& result);

/// A barrier is reached, and a read runs, behind everything that was acknowledged before it was asked for.
[[nodiscard]] std::unique_ptr<check> barrier_check(verdict& result, const ledger& ordered);

/// Nothing is to be forgotten that is not durably applied on a majority.
[[nodiscard]] std::unique_ptr<check> forget_check(verdict& result, const ledger& ordered,
                                                  std::size_t members);

/// When the faults are over, what a proposer was asked for, and did not give back, is ordered.
[[nodiscard]] std::unique_ptr<check> proposal_check(verdict& result, const ledger& ordered);

/// All nodes are founded with the same members and their very disks; of a node a role hears its member's disk
/// only, and no boot earlier than one that it has heard.
[[nodiscard]] std::unique_ptr<check> origin_check(verdict& result);

/// A node that lost its disk takes no part in the group.
[[nodiscard]] std::unique_ptr<check> wiped_check(verdict& result);

/// No role notes an error.
[[nodiscard]] std::unique_ptr<check> note_check(verdict& result);

}  // namespace quorate::testing
