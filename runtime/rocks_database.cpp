#include "runtime/rocks_database.hpp"

#include "runtime/rocks_log.hpp"

namespace quorate {

rocksdb::DBOptions rocks_database::small_options() {
  rocksdb::DBOptions options;
  options.max_background_jobs = 2;  // one flush, one compaction
  options.max_open_files = 128;
  options.max_file_opening_threads = 1;
  options.info_log = std::make_shared<rocks_log>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // One thread writes.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  // Spread the disk's work, so that no fsync waits behind a whole file.
  options.bytes_per_sync = 1024 * 1024;
  return options;
}

failure rocks_database::describe(const std::string& what, const rocksdb::Status& s) {
  const auto text = s.ToString();
  auto code = errc::io_failed;
  if (s.IsCorruption())
    code = errc::corrupt;
  else if (s.IsIOError() &&
           (text.find("lock file") != std::string::npos || text.find("lock ") != std::string::npos))
    code = errc::in_use;
  return {code, what + ": " + text};
}

rocks_database::opened rocks_database::open(const std::string& what, const std::filesystem::path& directory,
                                            database presence, rocksdb::DBOptions options,
                                            const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  const auto name = what + " in " + directory.string();
  std::error_code error;
  // CURRENT names the newest manifest: without it RocksDB would take whatever is there for nothing.
  if (presence == database::must_exist && !std::filesystem::exists(directory / "CURRENT", error))
    return failure{errc::corrupt, name + " is missing: what this node has promised is lost"};
  options.create_if_missing = presence == database::may_be_new;
  options.create_missing_column_families = true;
  rocksdb::DB* db = nullptr;
  std::shared_ptr<rocks_database> result{new rocks_database};
  result->what_ = name;
  const auto s = rocksdb::DB::Open(options, directory.string(), families, &result->families_, &db);
  result->db_.reset(db);
  if (!s.ok())
    return describe(name, s);
  return result;
}

rocks_database::~rocks_database() {
  if (!db_)
    return;
  for (auto* family : families_)
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

}  // namespace quorate
