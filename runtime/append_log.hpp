// The built-in state machine behind POST /append_log and GET /log.
#pragma once

#include "actors/state_machine.hpp"

namespace quorate {

/// A log of (key, value) entries, numbered 0, 1, 2, … without gaps.
/// A command appends one entry: its key is the command's, its value the command's body, which must not be
/// empty. It answers the entry's index (runtime/append_log_format.hpp). A query is a log_query, its answer a
/// log_page.
///
/// In the store: "count" (how many entries there are), and one record per batch under "e" and the big-endian
/// index of its first entry. Memory does not grow with the log.
class append_log : public state_machine {
public:
  [[nodiscard]] std::string_view name() const override { return "append_log"; }
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override;
  /// A page ends at its limit of entries, at limits::log_page_bytes_max, or, with a key, when
  /// limits::log_scan_entries_max or limits::log_scan_bytes_max have been looked at. A query from the end or
  /// from beyond it gets an empty page whose `next` is its own `from`, so that a client that follows the log
  /// can simply ask for `next` again.
  [[nodiscard]] machine_answer query(std::string_view request, const store_view& view) const override;
};

}  // namespace quorate
