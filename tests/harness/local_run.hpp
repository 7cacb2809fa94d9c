// Tier 1: whole nodes as actors, under a seed.
#pragma once

#include "tests/harness/explore.hpp"

namespace quorate::testing {

/// Runs a `local_cluster` on CAF's deterministic coordinator: the seed draws the protocol's options, how the
/// links between nodes lose, repeat, delay and reorder, what clients ask (bursts, so that there are batches;
/// linearizable and local reads), which nodes crash, lose what they had not synced, start again and are cut
/// off, and which actor runs next. In the end everything heals; then every member must answer, and all states
/// must be equal. The history goes through the checks of the workload. The same arguments give the same
/// report. Of `how` it takes `work` (empty: a built-in machine, which the seed draws) and `without`; the
/// checks of a protocol's own roles see messages, which stay inside of CAF here. A broken invariant (ENSURE)
/// ends the process; `explore_local` sees that.
[[nodiscard]] report run_local(std::uint64_t seed, std::size_t members, const protocol& ordering,
                               const options& how = {});

/// Many of them, in processes on all cores.
[[nodiscard]] findings explore_local(exploration what, const protocol& ordering, const options& how = {});

}  // namespace quorate::testing
