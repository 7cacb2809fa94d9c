// One file of the segment journal: a header, then records, one per commit.
#pragma once

#include "runtime/durable_files.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace quorate {

/// A preallocated file that is written from its beginning, once per generation, and used again when nothing
/// in it is wanted any more. Invariant: every generation has a random salt, which nobody outside can guess:
/// it marks all its records and seeds all their checksums, so that neither what an earlier generation has
/// left behind nor what a client has sent is ever taken for a record. Invariant: a record knows the one
/// before it by its checksum, so that what was cut off never stands behind what was written later.
/// Durability: of the file's name, size and blocks from `prepare` on, so that a sync has nothing to write but
/// the data.
class segment_file {
public:
  static constexpr std::size_t header_bytes = 512;  ///< one sector: it is written whole or not at all
  static constexpr std::size_t record_head_bytes = 40;

  struct generation {
    std::uint64_t number = 0;     ///< 1, 2, 3, … over all files of a journal
    std::uint64_t first_seq = 0;  ///< the number of its first record
    std::uint64_t salt = 0;
  };
  using opened = std::variant<std::shared_ptr<segment_file>, failure>;

  /// Makes a file of `bytes` zeros, durably; it has its name when it is whole. Leaves nothing behind where
  /// that fails.
  [[nodiscard]] static opened prepare(const durable_files& files, const std::filesystem::path& path,
                                      std::size_t bytes);
  /// Opens one that is there. Errors: corrupt (its header is neither one nor empty), bad_config (of another
  /// format), io_failed.
  [[nodiscard]] static opened open(const durable_files& files, const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Where the next record goes.
  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] bool used() const { return generation_.number != 0; }
  [[nodiscard]] const generation& current() const { return generation_; }

  /// Begins a generation: writes the header, durably.
  [[nodiscard]] status begin(const generation& next);
  /// Ends it, durably: a spare from now on.
  [[nodiscard]] status retire();
  /// Writes a record with the number `seq` behind the last one; everything below `synced` is known to be
  /// durable. \pre room_for(body.size())
  [[nodiscard]] status append(std::uint64_t seq, std::uint64_t synced, std::string_view body);
  [[nodiscard]] bool room_for(std::size_t body_bytes) const {
    return end_ + record_head_bytes + body_bytes <= size_;
  }
  [[nodiscard]] status sync();
  /// Errors: io_failed, corrupt (the file is shorter).
  [[nodiscard]] status read(std::size_t at, std::size_t bytes, std::string& out) const;

  /// What a replay has found.
  struct replayed {
    std::uint64_t next_seq = 0;   ///< behind the last whole record
    std::uint64_t synced = 0;     ///< records below this are known to be durable
    std::size_t unsynced_at = 0;  ///< where the first other one stands, or would
    std::size_t torn_bytes = 0;   ///< of what follows the last whole record
    bool damaged = false;         ///< a record that was durable cannot be read
  };
  /// Hands out the bodies of all whole records below the number `until`, with their places, until one is no
  /// record; says whether what follows may be a torn tail. `record` returns false to give up. Errors:
  /// io_failed, corrupt.
  [[nodiscard]] std::variant<replayed, failure>
  replay(std::uint64_t until, const std::function<bool(std::size_t at, std::string_view body)>& record);

  /// Writes again, in its place, what was read from `from` to the end, and the header: what the system gives
  /// back need not be on the disk, and after a sync that failed it would never get there by itself. Not yet a
  /// sync. \pre replayed
  [[nodiscard]] status write_again(std::size_t from);

  /// For live data that others count.
  std::uint64_t live_bytes = 0;

private:
  segment_file(const durable_files& files, std::filesystem::path path, file_descriptor file, std::size_t size)
      : files_(files), path_(std::move(path)), file_(std::move(file)), size_(size) {}
  [[nodiscard]] status write(std::size_t at, std::string_view bytes) const {
    return files_.write(file_, path_, at, bytes);
  }
  [[nodiscard]] status adopt(const std::string& header);
  [[nodiscard]] status copy_in_place(std::size_t from, std::size_t to) const;
  [[nodiscard]] failure damaged(const std::string& what) const;

  durable_files files_;
  std::filesystem::path path_;
  file_descriptor file_;
  std::size_t size_;
  std::size_t end_ = header_bytes;
  generation generation_;
  std::uint32_t last_sum_ = 0;  ///< of the last record's head, or the header
  std::string head_;
};

}  // namespace quorate
