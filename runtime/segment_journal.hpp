// The journal on preallocated files of our own.
#pragma once

#include "actors/journal.hpp"
#include "runtime/segment_directory.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>

namespace quorate {

/// A node's journal on disk: a log of commits in files of one size, used again and again; rows and the places
/// of batches are kept in memory, batches' bytes on disk, each stored once while any row refers to it.
/// Invariant: one commit is one record, so it survives whole or not at all, and only with all those before
/// it; a file is given up only when what is still wanted of it stands in a later one, durably. Durability: a
/// commit with sync, and everything before it, is on disk when it returns; everything that `open` has found
/// is when that returns. A torn tail is cut off at the start; any other damage refuses to open. The files
/// take at most about twice what is wanted of them, and a few files more, however often it is opened.
class segment_journal : public journal {
public:
  using tuning = segment_directory::tuning;
  using opened = std::variant<std::unique_ptr<segment_journal>, failure>;

  /// Opens, or makes, the journal in `directory`. Writes nothing before all of it has been read and is right.
  /// Errors: corrupt, bad_config (of another format), io_failed.
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

  /// What a person should know of what `open` has found, a sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return directory_.notes(); }
  /// Batches whose bytes are kept. From any thread.
  [[nodiscard]] std::size_t batches() const { return batches_count_.load(std::memory_order_relaxed); }
  /// Bytes of all files. From any thread.
  [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_.load(std::memory_order_relaxed); }
  /// Where the next commit goes. Not while another thread commits.
  [[nodiscard]] std::pair<std::filesystem::path, std::size_t> tail() const {
    return {head_->path(), head_->end()};
  }

private:
  using file = segment_directory::file;
  struct stored_row {
    std::string value;
    std::optional<batch_id> batch;
    segment_file* home = nullptr;
  };
  struct stored_batch {
    file home;
    std::size_t at = 0;
    std::uint32_t size = 0;
    std::uint32_t sum = 0;
    std::uint32_t rows = 0;  ///< that refer to it
  };

  explicit segment_journal(std::filesystem::path directory, const tuning& sizes)
      : sizes_(sizes), directory_(std::move(directory), sizes) {}

  [[nodiscard]] status load(database presence);
  [[nodiscard]] std::variant<segment_file::replayed, failure> replay(const file& from, std::uint64_t until);
  [[nodiscard]] bool apply(const file& from, std::size_t at, std::string_view body);
  [[nodiscard]] status check_replayed() const;
  [[nodiscard]] status go_on_behind(const segment_file::replayed& found);

  void put(const std::string& key, stored_row row);
  void erase(const std::string& from, const std::string& to);
  void release(const stored_row& row);
  void encode_put(const std::string& key, const std::string& value, const std::optional<batch_ref>& batch,
                  std::string& out);
  [[nodiscard]] status write(std::string_view body, bool sync);
  [[nodiscard]] status make_room(std::size_t body_bytes);
  [[nodiscard]] status next_segment(std::size_t body_bytes);
  [[nodiscard]] status give_up_old();
  [[nodiscard]] bool crowded() const;
  [[nodiscard]] status move_on(const segment_file& oldest);
  [[nodiscard]] static std::variant<std::string, failure> body_of(const stored_batch& b, const batch_id& id);
  void count();

  const tuning sizes_;

  // Changed by the writer, under the mutex; read by readers under it.
  mutable std::mutex mutex_;
  std::map<std::string, stored_row, std::less<>> rows_;
  std::unordered_map<batch_id, stored_batch> batches_;

  // The writer's.
  segment_directory directory_;
  file head_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t synced_ = 1;  ///< records below this are durable
  std::uint64_t oldest_ = 1;  ///< generations below this were given up
  std::string buffer_;
  bool replaying_ = false;
  std::atomic<std::size_t> batches_count_ = 0;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  status failed_;
};

}  // namespace quorate
