// The journal on preallocated files of our own.
#pragma once

#include "actors/journal.hpp"
#include "runtime/rocks_database.hpp"
#include "runtime/segment_file.hpp"

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <unordered_map>

namespace quorate {

/// A node's journal on disk: a log of commits in files of one size, used again and again; rows and the places
/// of batches are kept in memory, batches' bytes on disk, each stored once while any row refers to it.
/// Invariant: one commit is one record, so it survives whole or not at all, and only with all those before
/// it; a file is given up only when what is still wanted of it stands in a later one, durably. Durability: a
/// commit with sync, and everything before it, is on disk when it returns. A torn tail is cut off at the
/// start; any other damage refuses to open.
class segment_journal : public journal {
public:
  struct tuning {
    std::size_t segment_bytes = 16u << 20;  ///< one file; a larger commit gets a larger one
    std::size_t spares_max = 2;             ///< files that wait to be used again
  };
  using opened = std::variant<std::unique_ptr<segment_journal>, failure>;

  /// Opens, or makes, the journal in `directory`. Errors: corrupt, io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& directory, database presence,
                                   const tuning& sizes);
  [[nodiscard]] static opened open(const std::filesystem::path& directory,
                                   database presence = database::may_be_new) {
    return open(directory, presence, tuning{});
  }
  ~segment_journal() override;

  /// After the first failure every commit fails: what is in memory is ahead of the disk.
  [[nodiscard]] status commit(std::vector<journal_op> ops, bool sync) override;
  status scan(std::string_view from, std::string_view to,
              const std::function<bool(journal_row&&)>& row) const override;

  /// Bytes of a torn tail that the start cut off.
  [[nodiscard]] std::uint64_t torn_bytes() const { return torn_bytes_; }
  /// Batches whose bytes are kept. From any thread.
  [[nodiscard]] std::size_t batches() const { return batches_count_.load(std::memory_order_relaxed); }
  /// Bytes of all files. From any thread.
  [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_.load(std::memory_order_relaxed); }
  /// Where the next commit goes. Not while another thread commits.
  [[nodiscard]] std::pair<std::filesystem::path, std::size_t> tail() const {
    return {head_->path(), head_->end()};
  }

private:
  using file = std::shared_ptr<segment_file>;
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
      : directory_(std::move(directory)), sizes_(sizes) {}

  [[nodiscard]] status load(database presence);
  [[nodiscard]] status replay(const file& from, std::optional<std::uint64_t> until);
  [[nodiscard]] bool apply(const file& from, std::size_t at, std::string_view body);
  [[nodiscard]] status check_replayed() const;
  [[nodiscard]] std::variant<std::uint64_t, failure> newest_life() const;
  [[nodiscard]] status save_newest_life(std::uint64_t number);

  void put(const std::string& key, stored_row row);
  void erase(const std::string& from, const std::string& to);
  void release(const stored_row& row);
  void encode_put(const std::string& key, const std::string& value, const std::optional<batch_ref>& batch,
                  std::string& out);
  [[nodiscard]] status write(std::string_view body, bool sync);
  [[nodiscard]] status make_room(std::size_t body_bytes);
  [[nodiscard]] status next_segment(std::size_t body_bytes);
  [[nodiscard]] segment_file::opened take_spare(std::size_t bytes);
  void prepare_spare();
  [[nodiscard]] status give_up_old();
  [[nodiscard]] std::filesystem::path new_path();
  [[nodiscard]] static std::variant<std::string, failure> body_of(const stored_batch& b, const batch_id& id);
  void count();

  std::filesystem::path directory_;
  tuning sizes_;

  // Changed by the writer, under the mutex; read by readers under it.
  mutable std::mutex mutex_;
  std::map<std::string, stored_row, std::less<>> rows_;
  std::unordered_map<batch_id, stored_batch> batches_;

  // The writer's.
  std::map<std::uint64_t, file> files_;  ///< by life, the newest is written
  file head_;
  std::vector<file> spares_;
  std::future<segment_file::opened> preparing_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t synced_ = 1;  ///< records below this are durable
  std::uint64_t oldest_ = 1;  ///< lives below this were given up
  std::uint64_t next_name_ = 1;
  std::string buffer_;
  bool replaying_ = false;
  std::uint64_t torn_bytes_ = 0;
  std::atomic<std::size_t> batches_count_ = 0;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  status failed_;
};

}  // namespace quorate
