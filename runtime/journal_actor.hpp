// The journal's actors: group commit, and reading rows beside it.
#pragma once

#include "actors/shell.hpp"

#include <caf/actor_system.hpp>

namespace quorate {

struct journal_actor_setup {
  std::shared_ptr<journal> target;
  /// Commits that fail end the process: what is in memory could not be saved.
  std::function<void(const std::string& message)> fatal;
  bool detached =
      true;  ///< on a thread of its own, since commits block; false under a deterministic scheduler
};

/// Turns all waiting saves into one commit with one sync, then tells the roles.
[[nodiscard]] journal_actor spawn_journal(caf::actor_system& system, journal_actor_setup setup);
/// Answers reads of saved rows.
[[nodiscard]] row_reader_actor spawn_row_reader(caf::actor_system& system, journal_actor_setup setup);

}  // namespace quorate
