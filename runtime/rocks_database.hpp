// What the two RocksDB databases of a node have in common.
#pragma once

#include "actors/errors.hpp"

#include <rocksdb/db.h>

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace quorate {

/// May a database be made where there is none? One that has gone missing must not come back empty.
enum class database : std::uint8_t { may_be_new, must_exist };

/// An open database with its column families; closed with its last owner.
class rocks_database {
public:
  using opened = std::variant<std::shared_ptr<rocks_database>, failure>;

  /// Opens, or makes, the database in `directory`. `what` is its name in messages. The first family is the
  /// default one. Errors: corrupt, in_use (another process has it open), io_failed.
  [[nodiscard]] static opened open(const std::string& what, const std::filesystem::path& directory,
                                   database presence, rocksdb::DBOptions options,
                                   const std::vector<rocksdb::ColumnFamilyDescriptor>& families);
  ~rocks_database();
  rocks_database(const rocks_database&) = delete;
  rocks_database& operator=(const rocks_database&) = delete;

  [[nodiscard]] rocksdb::DB& db() const { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(std::size_t i) const { return families_[i]; }
  /// This database's name and directory in front of what RocksDB says.
  [[nodiscard]] failure describe(const rocksdb::Status& s) const { return describe(what_, s); }

  /// Options that suit a small machine: few threads, no info log on disk, no statistics.
  [[nodiscard]] static rocksdb::DBOptions small_options();

private:
  static failure describe(const std::string& what, const rocksdb::Status& s);
  rocks_database() = default;

  std::string what_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace quorate
