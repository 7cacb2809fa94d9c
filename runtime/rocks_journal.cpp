#include "runtime/rocks_journal.hpp"

#include "actors/bytes.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

namespace quorate {

namespace {

constexpr std::size_t rows_family = 0;
constexpr std::size_t batches_family = 1;

// Range tombstones cost every read of the memtable that they are in, so it goes to a file after so many.
constexpr std::size_t range_erasures_max = 1024;

enum row_kind : std::uint8_t { plain = 0, with_batch = 1 };

std::string batch_key(const batch_id& id) {
  std::string out;
  put_big(out, id.node.value);
  put_big(out, id.boot.value);
  put_big(out, id.number);
  return out;
}

std::string encode_row(const journal_op& op) {
  std::string out;
  out.reserve(op.value.size() + 21);
  put_little(out, static_cast<std::uint8_t>(op.batch ? with_batch : plain));
  if (op.batch)
    out += batch_key(op.batch->id);
  out += op.value;
  return out;
}

struct stored_row {
  std::optional<batch_id> batch;
  std::string_view value;
};

std::optional<stored_row> decode_row(std::string_view bytes) {
  byte_reader in{bytes};
  stored_row row;
  const auto kind = in.little<std::uint8_t>();
  if (kind == with_batch) {
    batch_id id;
    id.node = node_id{in.big<std::uint32_t>()};
    id.boot = boot_id{in.big<std::uint64_t>()};
    id.number = in.big<std::uint64_t>();
    row.batch = id;
  }
  if (!in.ok() || kind > with_batch)
    return std::nullopt;
  row.value = in.take(in.left());
  return row;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const rocks_journal::tuning& sizes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(sizes.cache);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions rows;
  rows.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rows.compression = rocksdb::kNoCompression;  // most of it is erased before it is ever compacted
  rows.max_write_buffer_number = 3;
  // Slow down only when something is badly wrong: a commit is in the way of every acknowledgement.
  rows.level0_slowdown_writes_trigger = 40;
  rows.level0_stop_writes_trigger = 60;
  rows.soft_pending_compaction_bytes_limit = 0;
  rows.hard_pending_compaction_bytes_limit = 0;
  rows.target_file_size_base = 16u << 20;
  rows.max_bytes_for_level_base = 64u << 20;
  auto batches = rows;
  rows.write_buffer_size = sizes.rows_memory;
  // Where half of a stretch is tombstones, scans should not have to pass over them again and again.
  rows.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(1024, 512));
  batches.write_buffer_size = sizes.batches_memory;
  return {{rocksdb::kDefaultColumnFamilyName, rows}, {"batches", batches}};
}

}  // namespace

rocks_journal::opened rocks_journal::open(const std::filesystem::path& directory, database presence,
                                          const tuning& sizes) {
  std::unique_ptr<rocks_journal> result{new rocks_journal};
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    auto mended = mend_log_tail(directory);
    if (auto* failed = std::get_if<failure>(&mended))
      return std::move(*failed);
    result->torn_bytes_ = std::get<std::uint64_t>(mended);
  }
  auto options = rocks_database::small_options();
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.wal_filter = result->continuity_.get();
  options.max_total_wal_size = sizes.log_bytes_max;
  // What is not flushed is in the write-ahead log.
  options.avoid_flush_during_shutdown = true;
  auto opened = rocks_database::open("the journal", directory, presence, options, families(sizes));
  if (result->continuity_->gap())
    return failure{errc::corrupt, *result->continuity_->gap()};
  if (auto* failed = std::get_if<failure>(&opened))
    return std::move(*failed);
  result->database_ = std::move(std::get<std::shared_ptr<rocks_database>>(opened));
  // Recovery has put everything that it replayed into synced files.
  result->synced_ = result->database_->db().GetLatestSequenceNumber();
  if (auto failed = result->rebuild_references())
    return std::move(*failed);
  return result;
}

status rocks_journal::rebuild_references() {
  auto& db = database_->db();
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it{db.NewIterator(options, database_->family(rows_family))};
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto row = decode_row(it->value().ToStringView());
    if (!row)
      return failure{errc::corrupt, "the journal holds a row that is none"};
    if (row->batch)
      references_.found(it->key().ToString(), *row->batch);
  }
  if (!it->status().ok())
    return database_->describe(it->status());
  batches_.store(references_.size(), std::memory_order_relaxed);
  return std::nullopt;
}

status rocks_journal::commit(std::vector<journal_op> ops, bool sync) {
  if (failed_)
    return failed_;
  rocksdb::WriteBatch changes;
  put_sync_mark(changes, synced_);
  rocksdb::Status s;
  batch_references::changes batches;
  for (const auto& op : ops) {
    if (failed_)
      break;
    if (op.erase) {
      if (op.key >= op.value)
        continue;
      references_.erase(op.key, op.value, batches);
      failed_ = erase(changes, op.key, op.value);
    } else {
      references_.put(op.key, op.batch, batches);
      s = changes.Put(database_->family(rows_family), op.key, encode_row(op));
    }
    for (const auto& batch : batches.store)
      if (s.ok())
        s = changes.Put(database_->family(batches_family), batch_key(batch.id), batch.body.view());
    for (const auto& id : batches.drop)
      if (s.ok())
        s = changes.Delete(database_->family(batches_family), batch_key(id));
    batches.store.clear();
    batches.drop.clear();
    if (!s.ok())
      failed_ = database_->describe(s);
  }
  if (!failed_)
    failed_ = write(changes, sync);
  batches_.store(references_.size(), std::memory_order_relaxed);
  return failed_;
}

status rocks_journal::erase(rocksdb::WriteBatch& changes, const std::string& from, const std::string& to) {
  auto* rows = database_->family(rows_family);
  const auto one_key = to.size() == from.size() + 1 && to.back() == '\0' && to.starts_with(from);
  // Never row by row: the writer would have to step over all that was erased before.
  const auto s = one_key ? changes.Delete(rows, from) : changes.DeleteRange(rows, from, to);
  range_erasures_ += one_key ? 0 : 1;
  if (!s.ok())
    return database_->describe(s);
  return std::nullopt;
}

status rocks_journal::write(rocksdb::WriteBatch& changes, bool sync) {
  auto& db = database_->db();
  rocksdb::Status s;
  if (changes.Count() > 0) {
    rocksdb::WriteOptions options;
    options.sync = sync;
    s = db.Write(options, &changes);
  } else if (sync) {
    s = db.SyncWAL();
  }
  if (s.ok() && range_erasures_ >= range_erasures_max) {
    range_erasures_ = 0;
    rocksdb::FlushOptions options;
    options.wait = false;
    options.allow_write_stall = true;  // otherwise the call itself would wait
    s = db.Flush(options, database_->family(rows_family));
  }
  if (!s.ok())
    return database_->describe(s);
  if (sync)
    synced_ = db.GetLatestSequenceNumber();
  return std::nullopt;
}

status rocks_journal::scan(std::string_view from, std::string_view to,
                           const std::function<bool(journal_row&&)>& row) const {
  auto& db = database_->db();
  // Rows and batches of one moment: the writer may drop a batch between the two reads.
  rocksdb::ManagedSnapshot moment{&db};
  rocksdb::ReadOptions options;
  options.snapshot = moment.snapshot();
  const rocksdb::Slice end{to.data(), to.size()};
  if (!to.empty())
    options.iterate_upper_bound = &end;
  if (!to.empty() && from >= to)
    return std::nullopt;
  const std::unique_ptr<rocksdb::Iterator> it{db.NewIterator(options, database_->family(rows_family))};
  // Neighbours often share a batch.
  batch_ref last;
  for (it->Seek({from.data(), from.size()}); it->Valid(); it->Next()) {
    const auto stored = decode_row(it->value().ToStringView());
    if (!stored)
      return failure{errc::corrupt, "the journal holds a row that is none"};
    journal_row found{it->key().ToString(), std::string{stored->value}, std::nullopt};
    if (stored->batch && (last.id != *stored->batch || last.body.empty())) {
      rocksdb::ReadOptions one;
      one.snapshot = moment.snapshot();
      std::string bytes;
      const auto s = db.Get(one, database_->family(batches_family), batch_key(*stored->batch), &bytes);
      if (s.IsNotFound())
        return failure{errc::corrupt, "the journal has lost the bytes of batch " + text(*stored->batch)};
      if (!s.ok())
        return database_->describe(s);
      last = batch_ref{*stored->batch, payload{std::move(bytes)}};
    }
    if (stored->batch)
      found.batch = last;
    if (!row(std::move(found)))
      return std::nullopt;
  }
  if (!it->status().ok())
    return database_->describe(it->status());
  return std::nullopt;
}

std::uint64_t rocks_journal::disk_bytes() const {
  std::uint64_t total = 0;
  for (const auto i : {rows_family, batches_family}) {
    std::uint64_t bytes = 0;
    if (database_->db().GetIntProperty(database_->family(i), rocksdb::DB::Properties::kTotalSstFilesSize,
                                       &bytes))
      total += bytes;
  }
  return total;
}

}  // namespace quorate
