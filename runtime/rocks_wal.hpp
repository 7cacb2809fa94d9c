// What RocksDB does not check in its write-ahead log.
#pragma once

#include "actors/errors.hpp"

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace quorate {

/// Marks a commit with the sequence number up to which everything was synced before it was written: a record
/// that is missing in front of it was no torn tail if the mark says that it was synced. \pre `changes` is
/// empty.
void put_sync_mark(rocksdb::WriteBatch& changes, std::uint64_t synced);

/// Looks at the end of the newest log in `directory`, before RocksDB does.
///
/// RocksDB's kTolerateCorruptedTailRecords takes whatever looks like a short record in the last 32 KiB of a
/// log for a torn tail, also when only a length was damaged and synced records follow. And it refuses a tail
/// that was torn in the middle of a page. So: behind the first record that cannot be read, every byte is
/// tried as the start of another one. If one is found whose mark says that the unreadable one was synced, the
/// log is corrupt; otherwise the tail is torn, and is cut off.
///
/// Not to be told from a torn tail: damage in the very last commits, behind which no mark follows.
/// Returns how many bytes were cut off.
[[nodiscard]] std::variant<std::uint64_t, failure> mend_log_tail(const std::filesystem::path& directory);

/// Stops recovery where the commits that are replayed do not follow one another: RocksDB passes over zeroed
/// pages and over the unreadable end of a log that is not the newest.
class log_continuity : public rocksdb::WalFilter {
public:
  WalProcessingOption LogRecordFound(unsigned long long log, const std::string& file,
                                     const rocksdb::WriteBatch& changes, rocksdb::WriteBatch* replaced,
                                     bool* is_replaced) override;
  [[nodiscard]] const char* Name() const override { return "quorate.log_continuity"; }

  /// One sentence about the gap, where there was one.
  [[nodiscard]] const std::optional<std::string>& gap() const { return gap_; }

private:
  std::optional<std::uint64_t> next_;
  std::optional<std::string> gap_;
};

}  // namespace quorate
