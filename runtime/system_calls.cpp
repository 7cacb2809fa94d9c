#include "runtime/system_calls.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace quorate {

system_calls& system_calls::real() {
  static system_calls calls;
  return calls;
}

int system_calls::open(const std::filesystem::path& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

ssize_t system_calls::pwrite(int fd, std::string_view bytes, std::uint64_t at) {
  return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<::off_t>(at));
}

ssize_t system_calls::pread(int fd, char* to, std::size_t bytes, std::uint64_t at) {
  return ::pread(fd, to, bytes, static_cast<::off_t>(at));
}

int system_calls::fsync(int fd) {
  return ::fsync(fd);
}

int system_calls::fdatasync(int fd) {
  return ::fdatasync(fd);
}

int system_calls::close(int fd) {
  return ::close(fd);
}

int system_calls::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return ::rename(from.c_str(), to.c_str());
}

int system_calls::unlink(const std::filesystem::path& path) {
  return ::unlink(path.c_str());
}

int system_calls::mkdir(const std::filesystem::path& path) {
  return ::mkdir(path.c_str(), S_IRWXU);
}

ssize_t system_calls::getrandom(void* to, std::size_t bytes) {
  return ::getrandom(to, bytes, 0);
}

}  // namespace quorate
