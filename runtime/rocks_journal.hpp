// The journal on RocksDB.
#pragma once

#include "actors/journal.hpp"
#include "runtime/rocks_database.hpp"
#include "runtime/rocks_wal.hpp"

#include <atomic>

namespace quorate {

/// A node's journal on disk: one database with a family of rows and one of batches' bytes, each batch stored
/// once under its id while any row refers to it. Invariant: one commit is one record of the write-ahead log,
/// so it survives whole or not at all, and only with all those before it. Durability: a commit with sync, and
/// everything before it, is on disk when it returns. A torn tail is cut off at the start; any other damage
/// refuses to open (see rocks_wal.hpp).
class rocks_journal : public journal {
public:
  struct tuning {
    std::size_t rows_memory = 8u << 20;  ///< bytes of rows before they go to a file; three of these at most
    std::size_t batches_memory = 16u << 20;  ///< the same for batches
    std::size_t cache = 16u << 20;           ///< bytes of blocks read back
    std::size_t log_bytes_max = 64u << 20;   ///< bytes of write-ahead log that a start may have to replay
  };
  using opened = std::variant<std::unique_ptr<rocks_journal>, failure>;

  /// Opens, or makes, the journal in `directory`. Errors: corrupt, in_use, io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& directory, database presence,
                                   const tuning& sizes);
  [[nodiscard]] static opened open(const std::filesystem::path& directory,
                                   database presence = database::may_be_new) {
    return open(directory, presence, tuning{});
  }

  /// After the first failure every commit fails: what is in memory is ahead of the disk.
  [[nodiscard]] status commit(std::vector<journal_op> ops, bool sync) override;
  status scan(std::string_view from, std::string_view to,
              const std::function<bool(journal_row&&)>& row) const override;

  /// Bytes of a torn tail that the start cut off.
  [[nodiscard]] std::uint64_t torn_bytes() const { return torn_bytes_; }
  /// Batches whose bytes are kept. From any thread.
  [[nodiscard]] std::size_t batches() const { return batches_.load(std::memory_order_relaxed); }
  /// Bytes on disk without the write-ahead log, about. From any thread.
  [[nodiscard]] std::uint64_t disk_bytes() const;

private:
  rocks_journal() = default;
  [[nodiscard]] status rebuild_references();
  [[nodiscard]] status erase(rocksdb::WriteBatch& changes, const std::string& from, const std::string& to);
  [[nodiscard]] status write(rocksdb::WriteBatch& changes, bool sync);

  // The database keeps a pointer to it, hence outlived by it.
  std::unique_ptr<log_continuity> continuity_ = std::make_unique<log_continuity>();
  std::shared_ptr<rocks_database> database_;
  batch_references references_;
  std::atomic<std::size_t> batches_ = 0;
  std::uint64_t torn_bytes_ = 0;
  std::uint64_t synced_ = 0;
  std::size_t range_erasures_ = 0;  ///< since rows were flushed the last time
  status failed_;
};

}  // namespace quorate
