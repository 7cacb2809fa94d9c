#include "runtime/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace quorate {

namespace {

failure in_use(const std::string& what, const std::filesystem::path& directory, std::optional<long> holder) {
  return {errc::in_use, what + " " + directory.string() + " is in use by " +
                            (holder ? "process " + std::to_string(*holder) : "another process")};
}

/// Who holds it, for the message: /proc/locks has lines such as "3: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0
/// EOF". Nothing where the system does not tell, or the holder is in another container. Some file systems
/// give their files another device there than to stat.
std::optional<long> holder_of(int fd) {
  struct ::stat facts {};
  if (::fstat(fd, &facts) != 0)
    return std::nullopt;
  std::array<char, 64> place{};
  std::snprintf(place.data(), place.size(), "%02x:%02x:%llu", major(facts.st_dev), minor(facts.st_dev),
                static_cast<unsigned long long>(facts.st_ino));
  const std::string exact{place.data()};
  const auto inode = exact.substr(exact.rfind(':'));
  std::optional<long> holder;
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number;
    std::string kind;
    std::string nature;
    std::string access;
    std::string where;
    long pid = 0;
    if (!(words >> number >> kind >> nature >> access >> pid >> where) || kind != "FLOCK" || pid <= 0)
      continue;
    if (where == exact)
      return pid;
    if (where.ends_with(inode))
      holder = pid;
  }
  return holder;
}

}  // namespace

directory_lock::taken directory_lock::take(const std::string& what, const std::filesystem::path& directory) {
  directory_lock lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (lock.fd_ < 0)
    return failure{errc::io_failed,
                   what + " " + directory.string() + " cannot be opened: " + std::strerror(errno)};
  while (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return in_use(what, directory, holder_of(lock.fd_));
    if (errno != EINTR)
      return failure{
          errc::io_failed,
          what + " " + directory.string() +
              " cannot be locked, as its file system must allow for directories: " + std::strerror(errno)};
  }
  return lock;
}

directory_lock::~directory_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

directory_lock::directory_lock(directory_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

directory_lock& directory_lock::operator=(directory_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

status check_rocks_lock(const std::string& what, const std::filesystem::path& directory) {
  // Closing it gives back what this process holds on it: nothing yet.
  const auto fd = ::open((directory / "LOCK").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return std::nullopt;
  struct ::flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  const auto told = ::fcntl(fd, F_GETLK, &wanted) == 0;
  ::close(fd);
  if (!told || wanted.l_type == F_UNLCK)
    return std::nullopt;
  return in_use(what, directory, wanted.l_pid > 0 ? std::optional<long>{wanted.l_pid} : std::nullopt);
}

}  // namespace quorate
