#include "runtime/rocks_store.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/last_words.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

namespace quorate {

namespace {

// Range tombstones cost every read of the memtable that they are in, and a machine reads while it applies. So
// a range of few rows is erased row by row, unless too many erased ones are in between, and the memtable goes
// to a file after so many range tombstones.
constexpr std::size_t row_erasures_max = 256;
constexpr std::size_t erased_rows_passed_max = 1024;
constexpr std::size_t range_erasures_max = 128;

// Behind a zero byte, where no generation is.
const std::string system_key{"\0state", 6};
constexpr std::uint8_t system_version = 1;

char other(char generation) {
  return generation == 1 ? char{2} : char{1};
}

std::string full_key(char generation, std::string_view key) {
  std::string out;
  out.reserve(key.size() + 1);
  out.push_back(generation);
  out += key;
  return out;
}

std::string system_row(char generation, log_index index) {
  std::string out;
  put_little(out, system_version);
  out.push_back(generation);
  put_little(out, index.value);
  return out;
}

/// Tells the ledger of every flush that has reached the disk.
class flush_listener : public rocksdb::EventListener {
public:
  explicit flush_listener(std::shared_ptr<flush_ledger> ledger) : ledger_(std::move(ledger)) {}
  // Called when the file is in the manifest and both are synced.
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    ledger_->flushed(info.largest_seqno);
  }

private:
  std::shared_ptr<flush_ledger> ledger_;
};

/// Reads of one generation, now or at a snapshot.
class generation_reader {
public:
  generation_reader(const rocks_database& database, char generation, const rocksdb::Snapshot* moment)
      : database_(database), generation_(generation) {
    options_.snapshot = moment;
  }

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    std::string value;
    const auto s = database_.db().Get(options_, database_.family(0), full_key(generation_, key), &value);
    if (s.IsNotFound())
      return std::nullopt;
    must_be_read(s);
    return value;
  }

  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const {
    if (!to.empty() && from >= to)
      return;
    const auto end = to.empty() ? std::string{static_cast<char>(generation_ + 1)} : full_key(generation_, to);
    const rocksdb::Slice end_slice{end};
    auto options = options_;
    options.iterate_upper_bound = &end_slice;
    const std::unique_ptr<rocksdb::Iterator> it{database_.db().NewIterator(options, database_.family(0))};
    for (it->Seek(full_key(generation_, from)); it->Valid(); it->Next())
      if (!pair(it->key().ToStringView().substr(1), it->value().ToStringView()))
        return;
    must_be_read(it->status());
  }

  [[nodiscard]] std::optional<std::pair<std::string, std::string>> last(std::string_view from,
                                                                        std::string_view upto) const {
    const auto begin = full_key(generation_, from);
    const rocksdb::Slice begin_slice{begin};
    auto options = options_;
    options.iterate_lower_bound = &begin_slice;
    const std::unique_ptr<rocksdb::Iterator> it{database_.db().NewIterator(options, database_.family(0))};
    it->SeekForPrev(full_key(generation_, upto));
    must_be_read(it->status());
    // A lower bound above the place sought need not stop the iterator by itself.
    if (!it->Valid() || it->key().compare(begin_slice) < 0)
      return std::nullopt;
    return std::pair{std::string{it->key().ToStringView().substr(1)}, it->value().ToString()};
  }

private:
  void must_be_read(const rocksdb::Status& s) const {
    if (!s.ok())
      end_for(database_.describe(s).message);
  }

  const rocks_database& database_;
  char generation_;
  rocksdb::ReadOptions options_;
};

/// A snapshot of a rocks_store that keeps its database open.
class rocks_view : public store_view {
public:
  rocks_view(std::shared_ptr<rocks_database> database, char generation)
      : database_(std::move(database)), moment_(database_->db().GetSnapshot()),
        reader_(*database_, generation, moment_) {
    ENSURE(moment_ != nullptr, "the state cannot be frozen");
  }
  ~rocks_view() override { database_->db().ReleaseSnapshot(moment_); }
  rocks_view(const rocks_view&) = delete;
  rocks_view& operator=(const rocks_view&) = delete;

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override {
    return reader_.get(key);
  }
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override {
    reader_.scan(from, to, pair);
  }
  [[nodiscard]] std::optional<std::pair<std::string, std::string>>
  last(std::string_view from, std::string_view upto) const override {
    return reader_.last(from, upto);
  }

private:
  std::shared_ptr<rocks_database> database_;
  const rocksdb::Snapshot* moment_;
  generation_reader reader_;
};

rocksdb::ColumnFamilyDescriptor family(const rocks_store::tuning& sizes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(sizes.cache);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = sizes.memory;
  options.max_write_buffer_number = 4;
  options.target_file_size_base = 32u << 20;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  return {rocksdb::kDefaultColumnFamilyName, options};
}

}  // namespace

rocks_store::opened rocks_store::open(const std::filesystem::path& directory, database presence,
                                      const tuning& sizes) {
  std::unique_ptr<rocks_store> result{new rocks_store};
  auto options = rocks_database::small_options();
  options.avoid_flush_during_shutdown = !sizes.flush_on_close;
  options.listeners.push_back(std::make_shared<flush_listener>(result->ledger_));
  auto opened = rocks_database::open("the state", directory, presence, options, {family(sizes)});
  if (auto* failed = std::get_if<failure>(&opened))
    return std::move(*failed);
  result->database_ = std::move(std::get<std::shared_ptr<rocks_database>>(opened));
  if (auto failed = result->load())
    return std::move(*failed);
  return result;
}

status rocks_store::load() {
  std::string row;
  const auto s = database_->db().Get({}, database_->family(0), system_key, &row);
  if (!s.ok() && !s.IsNotFound())
    return database_->describe(s);
  if (s.ok()) {
    byte_reader in{row};
    const auto version = in.little<std::uint8_t>();
    const auto generation = static_cast<char>(in.little<std::uint8_t>());
    const auto index = in.little<std::uint64_t>();
    if (!in.ok() || !in.at_end() || version != system_version || (generation != 1 && generation != 2))
      return failure{errc::corrupt, "the state holds a system row that is none"};
    generation_ = generation;
    // There is no write-ahead log: whatever is there has been flushed.
    newest_ = log_index{index};
    ledger_->start_at(newest_);
  }
  return drop_other_generation();
}

std::optional<std::string> rocks_store::get(std::string_view key) const {
  return generation_reader{*database_, generation_, nullptr}.get(key);
}

void rocks_store::scan(std::string_view from, std::string_view to,
                       const std::function<bool(std::string_view, std::string_view)>& pair) const {
  generation_reader{*database_, generation_, nullptr}.scan(from, to, pair);
}

std::optional<std::pair<std::string, std::string>> rocks_store::last(std::string_view from,
                                                                     std::string_view upto) const {
  return generation_reader{*database_, generation_, nullptr}.last(from, upto);
}

std::shared_ptr<const store_view> rocks_store::view() const {
  return std::make_shared<rocks_view>(database_, generation_);
}

status rocks_store::apply(rocksdb::WriteBatch& changes) {
  if (failed_)
    return failed_;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto s = database_->db().Write(options, &changes);
  return s.ok() ? std::nullopt : fail(s);
}

status rocks_store::fail(const rocksdb::Status& why) {
  failed_ = database_->describe(why);
  if (told_)
    told_(*failed_);
  return failed_;
}

rocksdb::Status rocks_store::erase_range(const std::vector<store_batch::op>& ops, std::size_t at,
                                         rocksdb::WriteBatch& out) {
  const auto from = full_key(generation_, ops[at].key);
  const auto to = full_key(generation_, ops[at].value);
  const rocksdb::Slice end{to};
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &end;
  options.max_skippable_internal_keys = erased_rows_passed_max;
  std::vector<std::string> keys;
  const std::unique_ptr<rocksdb::Iterator> it{database_->db().NewIterator(options, database_->family(0))};
  for (it->Seek(from); it->Valid() && keys.size() <= row_erasures_max; it->Next())
    keys.push_back(it->key().ToString());
  const auto given_up = it->status().IsIncomplete();
  if (!it->status().ok() && !given_up)
    return it->status();
  // The iterator does not see what these same changes have put.
  for (std::size_t i = 0; i < at && keys.size() <= row_erasures_max; ++i)
    if (ops[i].what == store_batch::op::kind::put && ops[i].key >= ops[at].key && ops[i].key < ops[at].value)
      keys.push_back(full_key(generation_, ops[i].key));
  if (given_up || keys.size() > row_erasures_max) {
    ++range_erasures_;
    return out.DeleteRange(from, to);
  }
  rocksdb::Status s;
  for (const auto& key : keys)
    if (s.ok())
      s = out.Delete(key);
  return s;
}

status rocks_store::put_changes(const store_batch& changes, rocksdb::WriteBatch& out) {
  using kind = store_batch::op::kind;
  rocksdb::Status s;
  const auto& ops = changes.ops();
  for (std::size_t i = 0; i < ops.size() && s.ok(); ++i) {
    const auto& op = ops[i];
    const auto key = full_key(generation_, op.key);
    if (op.what == kind::put) {
      s = out.Put(key, op.value);
    } else if (op.what == kind::erase) {
      s = out.Delete(key);
    } else if (op.key < op.value) {
      s = erase_range(ops, i, out);
    }
  }
  if (!s.ok())
    return database_->describe(s);
  return std::nullopt;
}

status rocks_store::write(const store_batch& changes, log_index index) {
  rocksdb::WriteBatch out;
  if (auto failed = put_changes(changes, out))
    return failed;
  if (const auto s = out.Put(system_key, system_row(generation_, index)); !s.ok())
    return database_->describe(s);
  if (auto failed = apply(out))
    return failed;
  newest_ = index;
  ledger_->written(database_->db().GetLatestSequenceNumber(), index);
  if (range_erasures_ >= range_erasures_max)
    start_flush();
  return std::nullopt;
}

status rocks_store::flush(bool wait) {
  auto& db = database_->db();
  const auto upto = db.GetLatestSequenceNumber();
  rocksdb::FlushOptions options;
  options.wait = wait;
  options.allow_write_stall = true;  // otherwise the call itself would wait
  const auto s = db.Flush(options, database_->family(0));
  if (!s.ok())
    return fail(s);
  flush_asked_ = upto;
  range_erasures_ = 0;
  // The listener may come later than the end of our wait.
  if (wait)
    ledger_->flushed(upto);
  return std::nullopt;
}

void rocks_store::start_flush() {
  // A failure comes back from the next write.
  if (!failed_ && flush_asked_ < database_->db().GetLatestSequenceNumber())
    static_cast<void>(flush(false));
}

status rocks_store::drop_other_generation() {
  const auto leftover = other(generation_);
  auto empty = true;
  generation_reader{*database_, leftover, nullptr}.scan({}, {}, [&](auto, auto) { return empty = false; });
  if (empty)
    return std::nullopt;
  rocksdb::WriteBatch out;
  const auto s = out.DeleteRange(std::string{leftover}, std::string{static_cast<char>(leftover + 1)});
  if (!s.ok())
    return database_->describe(s);
  return apply(out);
}

status rocks_store::begin_staging() {
  staging_ = true;
  return drop_other_generation();
}

status rocks_store::stage(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ENSURE(staging_, "pairs are staged before staging has begun");
  rocksdb::WriteBatch out;
  for (const auto& [key, value] : pairs)
    if (const auto s = out.Put(full_key(other(generation_), key), value); !s.ok())
      return database_->describe(s);
  return apply(out);
}

status rocks_store::finish_staging(log_index index) {
  ENSURE(staging_, "staging is finished before it has begun");
  staging_ = false;
  const auto old = generation_;
  rocksdb::WriteBatch out;
  // Views of the old generation still see it.
  auto s = out.DeleteRange(std::string{old}, std::string{static_cast<char>(old + 1)});
  if (s.ok())
    s = out.Put(system_key, system_row(other(old), index));
  if (!s.ok())
    return database_->describe(s);
  if (auto failed = apply(out))
    return failed;
  generation_ = other(old);
  newest_ = index;
  ledger_->written(database_->db().GetLatestSequenceNumber(), index);
  return flush(true);
}

std::uint64_t rocks_store::disk_bytes() const {
  std::uint64_t bytes = 0;
  database_->db().GetIntProperty(database_->family(0), rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

}  // namespace quorate
