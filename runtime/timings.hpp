// The intervals that a node's roles work with.
#pragma once

#include "actors/ids.hpp"

namespace quorate {

using namespace std::chrono_literals;

struct node_timings {
  duration hello_every = 200ms;      ///< founding repeats its Hello
  duration heartbeat_every = 100ms;  ///< membership
  duration suspect_after = 1s;       ///< silence after which a node counts as unreachable
  duration applied_every = 100ms;    ///< replicas tell how far they are
  duration flush_every = 10s;        ///< the state is flushed at least this often while it changes
  duration barrier_again = 100ms;    ///< a barrier that has not been reached is asked for again
  duration pull_again = 300ms;       ///< a pull that is not answered is asked of another peer
};

/// How much of the log a node keeps for others to catch up from.
struct log_limits {
  std::uint64_t entries_max = 20'000;
  std::uint64_t bytes_max = 256ULL * 1024 * 1024;
};

}  // namespace quorate
