// What a simulated node keeps over its crashes.
#pragma once

#include "actors/journal.hpp"
#include "actors/prng.hpp"
#include "actors/store.hpp"

namespace quorate::testing {

/// A state in memory that tells of every change.
class watched_store : public memory_store {
public:
  /// The index that the store stands at now, a digest of the changes that brought it there (nothing for a
  /// snapshot), and a digest of all its pairs.
  using watcher = std::function<void(log_index, std::optional<std::uint64_t>, std::uint64_t)>;
  void watch(watcher to_tell) { watcher_ = std::move(to_tell); }

  [[nodiscard]] status write(const store_batch& changes, log_index index) override;
  [[nodiscard]] status finish_staging(log_index index) override;
  /// Where it stands, flushed or not.
  [[nodiscard]] std::optional<log_index> index() const { return index_; }
  void crash();

private:
  void sum_up();
  [[nodiscard]] std::uint64_t changed(const store_batch& changes) const;

  watcher watcher_;
  std::optional<log_index> index_;
  std::uint64_t sum_ = 0;  ///< of the digests of all pairs: their order does not matter
};

/// A disk: its identity, the count of starts, journal and state.
/// Durability: what `begin_sync` returned is durable once `end_sync` has been called with it. A crash keeps a
/// random prefix of what was written after that.
class sim_disk {
public:
  explicit sim_disk(disk_id id, boot_id boot = {}) : id_(id), boot_(boot) {}

  [[nodiscard]] disk_id id() const { return id_; }
  [[nodiscard]] boot_id boot() const { return boot_; }
  boot_id next_boot() { return boot_ = boot_.next(); }

  [[nodiscard]] const memory_journal& journal() const { return journal_; }
  [[nodiscard]] memory_journal& journal() { return journal_; }
  [[nodiscard]] watched_store& state() { return state_; }
  [[nodiscard]] const watched_store& state() const { return state_; }

  /// Returns the number of this write, 1, 2, …; nothing where the disk failed.
  [[nodiscard]] std::optional<std::uint64_t> write(std::vector<journal_op> ops);
  /// Everything written so far, as a number for `end_sync`.
  [[nodiscard]] std::uint64_t written() const { return written_; }
  void end_sync(std::uint64_t upto);
  /// All writes up to this number survive a crash.
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  /// `survives`: percent of what was not synced that is kept; nothing: as `random` has it.
  void crash(prng& random, std::optional<std::uint64_t> survives = std::nullopt);

private:
  disk_id id_;
  boot_id boot_;
  memory_journal journal_;
  watched_store state_;
  std::uint64_t written_ = 0;
  std::uint64_t durable_ = 0;
};

}  // namespace quorate::testing
