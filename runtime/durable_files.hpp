// Files that are there after a crash: written whole, replaced whole, with their names.
#pragma once

#include "actors/errors.hpp"
#include "runtime/system_calls.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace quorate {

/// An open file that closes itself.
class file_descriptor {
public:
  file_descriptor(system_calls& calls, int fd) : calls_(&calls), fd_(fd) {}
  ~file_descriptor() {
    if (fd_ >= 0)
      calls_->close(fd_);
  }
  file_descriptor(file_descriptor&& other) noexcept
      : calls_(other.calls_), fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(calls_, other.calls_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

private:
  system_calls* calls_;
  int fd_;
};

/// What the data directory and the journal do to files. Interrupted calls are made again and short ones
/// continued; what fails is an io_failed with the file's name. Stateless: from any thread.
class durable_files {
public:
  explicit durable_files(system_calls& calls) : calls_(&calls) {}
  [[nodiscard]] system_calls& calls() const { return *calls_; }

  /// "`path` cannot be `what`: " and what `errno` says.
  [[nodiscard]] static failure cannot(const std::filesystem::path& path, const std::string& what);
  /// The name that `replace` and whoever else makes a file gives it until it is whole.
  [[nodiscard]] static std::filesystem::path unfinished(const std::filesystem::path& path);

  [[nodiscard]] file_descriptor open(const std::filesystem::path& path, int flags) const;
  [[nodiscard]] status write(const file_descriptor& to, const std::filesystem::path& path, std::uint64_t at,
                             std::string_view bytes) const;
  /// Up to `bytes`; fewer at the end of the file.
  [[nodiscard]] status read(const file_descriptor& from, const std::filesystem::path& path, std::uint64_t at,
                            std::size_t bytes, std::string& out) const;
  [[nodiscard]] status sync(const file_descriptor& file, const std::filesystem::path& path) const;
  [[nodiscard]] status sync_data(const file_descriptor& file, const std::filesystem::path& path) const;

  /// Makes the names in a directory durable.
  [[nodiscard]] status sync_directory(const std::filesystem::path& path) const;
  /// Makes `path` and what is missing above it, durably, for nobody else to read.
  [[nodiscard]] status make_directories(const std::filesystem::path& path) const;
  /// Makes the names on the way to `path` durable: whoever made them may have died before he did so.
  [[nodiscard]] status sync_way_to(const std::filesystem::path& path) const;
  /// A file of this name holds `bytes`, durably, or what it held before: whenever the process, or the
  /// machine, dies meanwhile. Leaves nothing else behind where it fails.
  [[nodiscard]] status replace(const std::filesystem::path& path, std::string_view bytes) const;
  /// The whole file, up to `bytes_max`; nothing where there is none.
  [[nodiscard]] std::variant<std::optional<std::string>, failure>
  read_whole(const std::filesystem::path& path, std::size_t bytes_max) const;
  /// Not yet durably: a file may come back. That there is none is as good.
  [[nodiscard]] status remove(const std::filesystem::path& path) const;

  /// One sentence for the log about files that are nobody's here; nothing where there are none.
  [[nodiscard]] static std::optional<std::string> note_of_strange(const std::filesystem::path& directory,
                                                                  const std::set<std::string>& names);
  /// A number that nobody can guess.
  [[nodiscard]] std::variant<std::uint64_t, failure> random_number() const;

private:
  system_calls* calls_;
};

}  // namespace quorate
