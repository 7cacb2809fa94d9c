// What a cluster spec may set for `paxos`.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <map>
#include <string>

namespace quorate::paxos {

struct options {
  /// `window`, slots, 1 to 64, default 8: how many slots of its own a proposer has in flight. More: higher
  /// throughput where round trips are long. Fewer: fuller batches, and fewer slots to take over after a
  /// crash.
  std::size_t window = 8;

  /// `takeover_after_ms`, milliseconds, 5 to 10000, default 20: how long a slot may hold up others before a
  /// node takes it over, plus a random part of up to one and a half times that. Lower: shorter gaps after a
  /// crash. Higher: fewer duels with proposers that are only slow; set it above a round trip and two fsyncs.
  duration takeover_after = std::chrono::milliseconds{20};

  /// `resend_after_ms`, milliseconds, 5 to 10000, default 30: after how long of silence a proposer repeats
  /// itself for the first time; doubled each time, up to 320 ms. Lower: lost messages cost less. Higher: less
  /// traffic where disks are slow.
  duration resend_after = std::chrono::milliseconds{30};
};

/// Sets `out` from what the spec says; names the option that is unknown or out of range.
[[nodiscard]] status read_options(const std::map<std::string, std::string>& from, options& out);

}  // namespace quorate::paxos
