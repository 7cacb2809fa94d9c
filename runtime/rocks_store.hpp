// The store on RocksDB.
#pragma once

#include "actors/store.hpp"
#include "runtime/flush_ledger.hpp"
#include "runtime/rocks_database.hpp"

namespace quorate {

/// A replica's state on disk: one database of one family without a write-ahead log.
///
/// Keys begin with a generation byte. A system row holds the generation that counts and the index that the
/// store stands at, and is the last row of every write. A snapshot is staged into the other generation, and
/// the switch is one row. Invariant: writes go to disk in order and each as a whole, since RocksDB changes
/// memtables only between two writes and installs them in order: what a crash leaves is a prefix of the
/// writes. Durability: by flushes only, asked for or made by themselves when a memtable is full. A read that
/// fails stops the process: there is no answer to give without it.
class rocks_store : public store {
public:
  struct tuning {
    std::size_t memory = 16u << 20;  ///< bytes of writes before they go to a file; four of these at most
    std::size_t cache = 32u << 20;   ///< bytes of blocks read back
    bool flush_on_close = true;      ///< saves the next start the work; a test that crashes does without
  };
  using opened = std::variant<std::unique_ptr<rocks_store>, failure>;

  /// Opens, or makes, the state in `directory`. Errors: corrupt, in_use, io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& directory, database presence,
                                   const tuning& sizes);
  [[nodiscard]] static opened open(const std::filesystem::path& directory,
                                   database presence = database::may_be_new) {
    return open(directory, presence, tuning{});
  }

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override;
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override;
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> last(std::string_view from,
                                                                        std::string_view upto) const override;
  [[nodiscard]] status write(const store_batch& changes, log_index index) override;
  /// May outlive the store: it keeps the database open.
  [[nodiscard]] std::shared_ptr<const store_view> view() const override;
  void start_flush() override;
  /// From any thread.
  [[nodiscard]] std::optional<log_index> flushed() const override { return ledger_->durable(); }
  [[nodiscard]] status begin_staging() override;
  [[nodiscard]] status stage(const std::vector<std::pair<std::string, std::string>>& pairs) override;
  [[nodiscard]] status finish_staging(log_index index) override;

  /// Is told of the first write or flush that fails, on the thread that asked for it. Set before the first
  /// write.
  void when_failed(std::function<void(const failure&)> told) { told_ = std::move(told); }

  /// The index that the store stands at.
  [[nodiscard]] std::optional<log_index> newest() const { return newest_; }
  /// Bytes on disk, about. From any thread.
  [[nodiscard]] std::uint64_t disk_bytes() const;

private:
  rocks_store() = default;
  [[nodiscard]] status load();
  [[nodiscard]] status drop_other_generation();
  [[nodiscard]] rocksdb::Status erase_range(const std::vector<store_batch::op>& ops, std::size_t at,
                                            rocksdb::WriteBatch& out);
  [[nodiscard]] status put_changes(const store_batch& changes, rocksdb::WriteBatch& out);
  [[nodiscard]] status apply(rocksdb::WriteBatch& changes);
  [[nodiscard]] status flush(bool wait);
  [[nodiscard]] status fail(const rocksdb::Status& why);

  std::shared_ptr<flush_ledger> ledger_ = std::make_shared<flush_ledger>();
  std::shared_ptr<rocks_database> database_;
  char generation_ = 1;
  std::optional<log_index> newest_;
  bool staging_ = false;
  std::size_t range_erasures_ = 0;  ///< since the last flush
  std::uint64_t flush_asked_ = 0;   ///< the sequence number that the last flush asked for goes up to
  status failed_;                   ///< the first one: from then on nothing is written
  std::function<void(const failure&)> told_;
};

}  // namespace quorate
