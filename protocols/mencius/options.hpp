// What a cluster spec may set for `mencius`.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <map>
#include <string>

namespace quorate::mencius {

struct options {
  /// `window`, batches, 1 to 64, default 8: how many suggestions of its own a member has in flight. More:
  /// higher throughput where round trips are long. Fewer: fuller batches.
  std::size_t window = 8;

  /// `revoke_after_ms`, milliseconds, 5 to 10000, default 20: how long a member may hold up delivery before
  /// another one settles its slots, at the least: where round trips and disks are slower than that, the
  /// learners wait for a multiple of what they measure. Lower: shorter gaps after a freeze. Higher: fewer
  /// revocations of members that are only slow.
  duration revoke_after = std::chrono::milliseconds{20};

  /// `resend_after_ms`, milliseconds, 5 to 10000, default 30: after how long of silence a suggestion is
  /// repeated for the first time; doubled each time, up to 320 ms. Lower: lost messages cost less. Higher:
  /// less traffic where disks are slow.
  duration resend_after = std::chrono::milliseconds{30};

  /// `yield_after_ms`, milliseconds, 1 to 10000, default 5: after how long without commands a member skips
  /// far ahead, so that the others need not hear from it. Lower: the others are independent of it sooner.
  /// Higher: less to do where commands come in drops.
  duration yield_after = std::chrono::milliseconds{5};
};

/// Sets `out` from what the spec says; names the option that is unknown or out of range.
[[nodiscard]] status read_options(const std::map<std::string, std::string>& from, options& out);

}  // namespace quorate::mencius
