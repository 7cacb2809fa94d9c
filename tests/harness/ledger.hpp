// What a group has ordered, as its learners tell it: what checks compare everything else with.
#pragma once

#include "actors/traffic.hpp"
#include "tests/harness/check.hpp"

#include <map>

namespace quorate::testing {

/// Every batch that any learner has delivered, in the order of the cursors. The position in it is the index.
/// Never fails; the checks that use it come after it.
class ledger : public check {
public:
  struct line {
    std::uint64_t sum;  ///< of its body
    command_view what;
  };
  struct entry {
    cursor at;
    batch value;
    std::vector<line> commands;  ///< empty where the bytes are no batch
    place by;                    ///< who delivered it first
  };

  using check::check;
  [[nodiscard]] std::string_view name() const override { return "ledger"; }
  void sent(const place& from, const std::vector<node_id>&, const box& message) override;

  [[nodiscard]] const std::vector<entry>& list() const { return list_; }
  /// The index of the batch at this cursor; nothing where nobody has delivered one there.
  [[nodiscard]] std::optional<log_index> find(cursor at) const;
  /// How many batches stand at or before this cursor.
  [[nodiscard]] log_index upto(cursor at) const;
  /// Where a command of the state machine with these bytes stands first.
  [[nodiscard]] std::optional<log_index> place_of(std::string_view body) const;

private:
  std::vector<entry> list_;
  std::map<std::uint64_t, log_index> places_;  ///< sum of a command's body -> where it stands first
};

}  // namespace quorate::testing
