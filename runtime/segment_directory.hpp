// The files of a segment journal, and what they are called.
#pragma once

#include "runtime/rocks_database.hpp"
#include "runtime/segment_file.hpp"

#include <future>
#include <map>
#include <vector>

namespace quorate {

/// A journal's directory: the files in use, in the order of their generations, some spare ones, and NEWEST,
/// which names the newest generation, so that the loss of its file is seen.
/// Invariant: generations follow one another without a gap; the first ones are given up, and may come back
/// when the power is lost, but then a gap or the journal's own word tells. Durability: a file is the newest
/// one when its header, and then NEWEST, are on disk. NEWEST may be one behind, never ahead. Not thread-safe.
class segment_directory {
public:
  using file = std::shared_ptr<segment_file>;
  struct tuning {
    std::size_t segment_bytes = 16u << 20;  ///< one file; a larger commit gets a larger one
    std::size_t spares_max = 2;             ///< files that wait to be used again
    bool prepare_beside = true;             ///< makes spares on a thread of their own
    system_calls* calls = &system_calls::real();
  };

  segment_directory(std::filesystem::path path, const tuning& sizes)
      : path_(std::move(path)), sizes_(sizes), disk_(*sizes.calls) {}
  ~segment_directory();
  segment_directory(const segment_directory&) = delete;
  segment_directory& operator=(const segment_directory&) = delete;

  /// Finds out what is there, and changes nothing but for making the directory where it may be new. Errors:
  /// corrupt, bad_config (of another format), io_failed.
  [[nodiscard]] status read(database presence);
  /// What was read is right and durable: makes so what `read` relied on, NEWEST and all names, and removes
  /// what earlier starts have left behind. Begins to make a spare file where there is none.
  [[nodiscard]] status confirm();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const durable_files& disk() const { return disk_; }
  [[nodiscard]] const std::map<std::uint64_t, file>& files() const { return files_; }
  /// A file of which nothing can be told: the reason where one of them is missing.
  [[nodiscard]] const status& unreadable() const { return unreadable_; }
  [[nodiscard]] const file& newest() const { return files_.rbegin()->second; }
  /// Of the files in use.
  [[nodiscard]] std::uint64_t used_bytes() const;
  /// Of all.
  [[nodiscard]] std::uint64_t bytes() const;
  /// What `read` has found strange and left alone, a sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  /// Begins the next generation in a file of at least `bytes`. \pre everything below `first_seq` is durable
  [[nodiscard]] status begin_next(std::uint64_t first_seq, std::size_t bytes);
  /// The oldest file is wanted no more: it is a spare or goes, as soon as nobody reads it. \pre what was
  /// wanted of it stands in another one, durably, and that it was given up too
  [[nodiscard]] status give_up_oldest();

private:
  [[nodiscard]] status read_names(std::map<std::uint64_t, std::filesystem::path>& segments);
  [[nodiscard]] status read_newest(database presence);
  [[nodiscard]] segment_file::opened take_spare(std::size_t bytes);
  void prepare_spare();
  [[nodiscard]] std::filesystem::path new_path();

  std::filesystem::path path_;
  tuning sizes_;
  durable_files disk_;
  std::map<std::uint64_t, file> files_;  ///< by generation, the newest is written
  std::vector<file> spares_;
  std::future<segment_file::opened> preparing_;
  std::vector<std::filesystem::path> leftovers_;  ///< to be removed by `confirm`
  std::vector<std::string> notes_;
  status unreadable_;
  std::uint64_t next_name_ = 1;
  bool names_durable_ = false;
};

}  // namespace quorate
