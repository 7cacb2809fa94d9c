// The system's calls on which durability rests, in one place, so that a test can let each of them fail.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace quorate {

/// Calls of the operating system on files. Each is the call of its name: returns what that returns, -1 with
/// `errno` set where it failed, and may do less than it was asked for. From any thread.
class system_calls {
public:
  virtual ~system_calls() = default;

  /// The system itself.
  [[nodiscard]] static system_calls& real();

  /// What is made can be read by its owner only; not inherited by other programs.
  [[nodiscard]] virtual int open(const std::filesystem::path& path, int flags);
  [[nodiscard]] virtual ssize_t pwrite(int fd, std::string_view bytes, std::uint64_t at);
  [[nodiscard]] virtual ssize_t pread(int fd, char* to, std::size_t bytes, std::uint64_t at);
  [[nodiscard]] virtual int fsync(int fd);
  [[nodiscard]] virtual int fdatasync(int fd);
  virtual int close(int fd);
  [[nodiscard]] virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to);
  [[nodiscard]] virtual int unlink(const std::filesystem::path& path);
  [[nodiscard]] virtual int mkdir(const std::filesystem::path& path);
  [[nodiscard]] virtual ssize_t getrandom(void* to, std::size_t bytes);
};

}  // namespace quorate
