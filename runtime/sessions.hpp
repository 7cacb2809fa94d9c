// Executed once: what has become of every client's recent commands.
#pragma once

#include "actors/command.hpp"
#include "actors/limits.hpp"
#include "actors/store.hpp"

#include <array>
#include <map>
#include <set>

namespace quorate {

/// How much of clients' pasts is remembered: the same on all replicas of a group, or their states differ.
struct session_limits {
  std::uint64_t window = limits::session_window;  ///< sequences of a session
  std::size_t open_max = limits::sessions_max;    ///< open sessions; the longest unused goes first
  std::size_t bytes_max = 256 * 1024 * 1024;  ///< of all outcomes in memory; who holds most forgets first
};

/// The sessions of one group, the same on every replica, since they change by the log alone.
/// Invariant: a command id is let through at most once, ever. A session remembers the outcomes of the
/// sequences from `low` on; below `low`, and where the session is unknown, everything is refused. Memory
/// follows the outcomes that are held, wherever in the window they lie, and is bounded over all sessions: at
/// `bytes_max` the session that holds most forgets its oldest ones, as if its window had passed them.
/// Durability:
/// `save` puts the changes of a batch beside the batch's other writes; `load` reads them back. Source: D.
/// Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.3, with a window of outcomes per
/// session instead of the last one.
class sessions {
public:
  enum class verdict : std::uint8_t {
    execute,  ///< never executed before: do it, then `record`
    repeat,   ///< executed before: `find` has the outcome
    running,  ///< the same command stands earlier in the same batch
    refuse,   ///< session unknown, or the window has passed it
  };

  struct stored_outcome {
    errc code = errc::ok;
    std::string body;
  };

  explicit sessions(const session_limits& limits = {}) : limits_(limits) {}
  sessions(std::uint64_t window, std::size_t open_max) : sessions(session_limits{window, open_max}) {}

  /// Opens a session at this place of the log; evicts the longest unused one where there are too many. Its id
  /// is made from the place: index times limits::batch_commands_max plus position.
  session_id open(log_index index, std::size_t position);
  /// What to do with a command at `index`; moves the session's window. \post execute: the id is `running`
  [[nodiscard]] verdict check(const command_view& command, log_index index);
  /// The outcome of a command that `check` let through.
  void record(const command_id& id, log_index index, stored_outcome result);
  /// The remembered outcome, or null.
  [[nodiscard]] const stored_outcome* find(const command_id& id) const;
  /// True where the command was certainly not executed so far and still may be.
  [[nodiscard]] bool is_open(const command_id& id) const;

  /// Adds what changed since the last call to the writes of the batch at `index`.
  void save(log_index index, store_batch& writes);
  /// Replaces everything by what the store holds.
  [[nodiscard]] status load(const store_view& view);

  [[nodiscard]] std::size_t size() const { return open_.size(); }
  /// What the outcomes take in memory, the same on every replica.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
  struct slot {
    enum class state : std::uint8_t { empty, running, done } what = state::empty;
    log_index record;  ///< the batch that executed it
    stored_outcome result;
  };
  /// Neighbouring sequences; there only while one of them is not empty.
  static constexpr std::uint64_t block_slots = 16;
  struct block {
    std::array<slot, block_slots> slots;
    std::size_t held = 0;  ///< slots that are not empty
  };
  struct session {
    std::uint64_t low = 0;                  ///< sequences below are refused
    log_index used;                         ///< the last batch that had a command of it
    std::map<std::uint64_t, block> blocks;  ///< by number / block_slots
    std::size_t bytes = 0;
  };

  [[nodiscard]] static const slot* find(const session& s, std::uint64_t number);
  slot& hold(session& s, std::uint64_t number);
  void finish(session& s, slot& place, log_index index, stored_outcome result);
  void drop(session& s, std::map<std::uint64_t, block>::iterator from, std::uint64_t number);
  void raise_low(session& s, std::uint64_t low);
  void drop_first_block(session& s);
  void evict();
  void make_room();
  void count(session& s, std::ptrdiff_t bytes);

  session_limits limits_;
  std::map<session_id, session> open_;
  std::size_t bytes_ = 0;
  std::map<log_index, std::size_t> live_;  ///< outcomes per saved record that are still remembered
  // Since the last save:
  std::set<session_id> touched_;
  std::set<session_id> closed_;
  std::vector<log_index> emptied_;
  std::vector<command_id> recorded_;
};

}  // namespace quorate
