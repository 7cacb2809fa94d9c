// One file of the segment journal: a header, then records, one per commit.
#pragma once

#include "actors/errors.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace quorate {

/// A preallocated file that is written from its beginning, once per life, and used again when nothing in it
/// is wanted any more. Invariant: every life has a number of its own, which seeds all its checksums, so that
/// what an earlier life has left behind is never taken for a record. Durability: of the file's size and its
/// blocks from `prepare` on, so that a sync has nothing to write but the data.
class segment_file {
public:
  static constexpr std::size_t header_bytes = 512;  ///< one sector: it is written whole or not at all
  static constexpr std::size_t record_head_bytes = 40;

  struct life {
    std::uint64_t number = 0;     ///< 1, 2, 3, … over all files of a journal
    std::uint64_t first_seq = 0;  ///< the number of its first record
  };
  enum class content : std::uint8_t { spare, used };
  using opened = std::variant<std::shared_ptr<segment_file>, failure>;

  /// Makes a file of `bytes` zeros, durably.
  [[nodiscard]] static opened prepare(const std::filesystem::path& path, std::size_t bytes);
  /// Opens one that is there. Errors: corrupt (its header is neither one nor empty), io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& path);
  ~segment_file();
  segment_file(const segment_file&) = delete;
  segment_file& operator=(const segment_file&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Where the next record goes.
  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] bool used() const { return life_.number != 0; }
  [[nodiscard]] const life& current() const { return life_; }

  /// Begins a life: writes the header, durably.
  [[nodiscard]] status begin(const life& next);
  /// Ends it, durably: a spare from now on.
  [[nodiscard]] status retire();
  /// Writes a record with the number `seq` behind the last one; everything below `synced` is known to be
  /// durable. \pre room_for(body.size())
  [[nodiscard]] status append(std::uint64_t seq, std::uint64_t synced, std::string_view body);
  [[nodiscard]] bool room_for(std::size_t body_bytes) const {
    return end_ + record_head_bytes + body_bytes <= size_;
  }
  [[nodiscard]] status sync();
  [[nodiscard]] status read(std::size_t at, std::size_t bytes, std::string& out) const;

  /// What a replay has found.
  struct replayed {
    std::uint64_t next_seq = 0;             ///< behind the last whole record
    std::uint64_t torn_bytes = 0;           ///< of what follows it
    std::optional<std::size_t> damaged_at;  ///< a record that was durable cannot be read
  };
  /// Hands out the bodies of all whole records, with their places, until one is no record; says whether what
  /// follows may be a torn tail. `record` returns false to give up. Errors: io_failed.
  [[nodiscard]] std::variant<replayed, failure>
  replay(const std::function<bool(std::size_t at, std::string_view body)>& record);

  /// For live data that others count.
  std::uint64_t live_bytes = 0;

private:
  segment_file(std::filesystem::path path, int fd, std::size_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}
  [[nodiscard]] status write(std::size_t at, std::string_view bytes) const;
  [[nodiscard]] failure describe(const std::string& what) const;

  std::filesystem::path path_;
  int fd_;
  std::size_t size_;
  std::size_t end_ = header_bytes;
  life life_;
  std::string head_;
};

}  // namespace quorate
