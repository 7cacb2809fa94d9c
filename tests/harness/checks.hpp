// The checks that every run has, whatever the protocol and the state machine.
#pragma once

#include "tests/harness/check.hpp"

namespace quorate::testing {

/// Learners deliver the same batches at the same cursors in the same order, without gaps, and nothing that no
/// client and no edge has asked for.
[[nodiscard]] std::unique_ptr<check> delivery_check(verdict& result);

/// Replicas change their states in the same way at the same index, one index after the other, and end with
/// equal states.
[[nodiscard]] std::unique_ptr<check> state_check(verdict& result);

/// A node that lost its disk takes no part in the group.
[[nodiscard]] std::unique_ptr<check> wiped_check(verdict& result);

/// No role notes an error.
[[nodiscard]] std::unique_ptr<check> note_check(verdict& result);

}  // namespace quorate::testing
