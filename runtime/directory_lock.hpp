// A directory that one process at a time has.
#pragma once

#include "actors/errors.hpp"

#include <filesystem>
#include <string>
#include <variant>

namespace quorate {

/// The lock of a directory, held for as long as this lives. It is taken on the directory itself, not on a
/// file in it: such a file can be removed, and then two processes hold locks of the same name. A directory
/// that was moved keeps its lock, a copy has one of its own, and the kernel gives it back however the process
/// ends.
class directory_lock {
public:
  using taken = std::variant<directory_lock, failure>;

  /// Writes nothing. `what` is the directory's name in messages, "the data directory". Errors: in_use (names
  /// the process, where the system tells), io_failed.
  [[nodiscard]] static taken take(const std::string& what, const std::filesystem::path& directory);
  ~directory_lock();
  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&& other) noexcept;

private:
  explicit directory_lock(int fd) : fd_(fd) {}

  int fd_;
};

/// Has another process RocksDB's database in `directory` open? Its own lock is looked at, not taken: whoever
/// opens the database takes it. `what` as above. Errors: in_use.
[[nodiscard]] status check_rocks_lock(const std::string& what, const std::filesystem::path& directory);

}  // namespace quorate
