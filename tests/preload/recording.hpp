// The recorded disk, inside the process that it is loaded into; see record_disk.cpp.
#pragma once

#include "tests/preload/disk_trace.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

constexpr std::size_t descriptors_max = 65'536;

inline std::uint64_t now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

inline void complain(std::string_view what) {
  const std::string line = "record_disk: " + std::string{what} + "\n";
  ::syscall(SYS_write, 2, line.data(), line.size());
  ::syscall(SYS_exit_group, 99);
}

/// What is known about a descriptor of the data directory.
struct opened_file {
  bool is_directory = false;
  std::string path;
};

/// The one disk of this process.
class disk {
public:
  static disk* get() {
    static disk* const one = make();
    return one;
  }

  void lock() {
    if (::pthread_mutex_lock(&control_->lock) == EOWNERDEAD)
      ::pthread_mutex_consistent(&control_->lock);
  }
  void unlock() { ::pthread_mutex_unlock(&control_->lock); }

  [[nodiscard]] disk_control& control() { return *control_; }

  /// The path below the root, with a slash in front unless it is the root itself; nothing if it is elsewhere.
  [[nodiscard]] const char* below_root(const std::string& path) const {
    if (path.size() < root_.size() || path.compare(0, root_.size(), root_) != 0)
      return nullptr;
    return path.size() == root_.size() || path[root_.size()] == '/' ? path.c_str() + root_.size() : nullptr;
  }

  [[nodiscard]] opened_file* file(int descriptor) {
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) < files_.size()
               ? files_[static_cast<std::size_t>(descriptor)]
               : nullptr;
  }
  void opened(int descriptor, bool is_directory, std::string path) {
    closed(descriptor);
    if (descriptor >= 0 && static_cast<std::size_t>(descriptor) < files_.size())
      files_[static_cast<std::size_t>(descriptor)] = new opened_file{is_directory, std::move(path)};
  }
  void closed(int descriptor) {
    if (auto* known = file(descriptor)) {
      delete known;
      files_[static_cast<std::size_t>(descriptor)] = nullptr;
    }
  }

  void note(disk_event_head h, std::string_view name = {}, std::string_view other = {},
            std::string_view data = {}) {
    if (trace_ < 0)
      return;
    if (h.ended == 0)
      h.ended = h.began = now();
    h.name_bytes = static_cast<std::uint32_t>(name.size());
    h.other_bytes = static_cast<std::uint32_t>(other.size());
    if (data.find_first_not_of('\0') != data.npos)
      h.data_bytes = data.size();
    std::string all{reinterpret_cast<const char*>(&h), sizeof(h)};
    all.append(name).append(other).append(data.substr(0, h.data_bytes));
    for (std::string_view rest = all; !rest.empty();) {
      const auto n = ::syscall(SYS_write, trace_, rest.data(), rest.size());
      if (n <= 0)
        complain("the trace cannot be written");
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Whether an operation of this kind is to fail now. \pre the lock is held.
  [[nodiscard]] bool fails(disk_fault_kinds kind, std::string_view path) {
    const std::string_view part{control_->fault_part.data()};
    if ((control_->fault_kinds & kind) == 0 || path.find(part) == path.npos)
      return false;
    const auto number = ++control_->countable;
    if (control_->fault_at == 0 || number < control_->fault_at ||
        (number > control_->fault_at && control_->fault_stays == 0))
      return false;
    ++control_->failed;
    errno = static_cast<int>(control_->fault_error);
    return true;
  }

  /// Before every change. \pre the lock is held.
  void count_change() {
    if (++control_->changes == control_->kill_at)
      ::kill(::getpid(), SIGKILL);
  }

  [[nodiscard]] bool sync_is_lost(const opened_file& f) {
    const std::string_view part{control_->lost_syncs.data()};
    const auto meant =
        part == "/" ? f.is_directory : !part.empty() && !f.is_directory && f.path.find(part) != f.path.npos;
    return meant && ++lost_syncs_ > control_->lost_syncs_from;
  }

private:
  static disk* make() {
    const auto* path = std::getenv("QUORATE_DISK_CONTROL");
    if (path == nullptr)
      return nullptr;
    const auto fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
    if (fd < 0)
      complain("QUORATE_DISK_CONTROL cannot be opened");
    // Not through the call that this library replaces.
    auto* at = reinterpret_cast<void*>(
        ::syscall(SYS_mmap, nullptr, sizeof(disk_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::syscall(SYS_close, fd);
    auto* control = static_cast<disk_control*>(at);
    if (at == MAP_FAILED || control->mark != disk_control::right_mark)
      complain("QUORATE_DISK_CONTROL is none");
    auto* one = new disk;
    one->control_ = control;
    one->root_ = control->root.data();
    if (control->trace[0] != '\0') {
      one->trace_ = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, control->trace.data(),
                                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
      // Out of the way of a program that has to do with low numbers, as closed standard descriptors.
      const auto high = static_cast<int>(::syscall(SYS_fcntl, one->trace_, F_DUPFD_CLOEXEC, 900));
      if (high >= 0) {
        ::syscall(SYS_close, one->trace_);
        one->trace_ = high;
      }
      if (one->trace_ < 0)
        complain("the trace cannot be opened");
    }
    return one;
  }

  disk_control* control_ = nullptr;
  std::string root_;
  int trace_ = -1;
  std::uint64_t lost_syncs_ = 0;
  std::vector<opened_file*> files_ = std::vector<opened_file*>(descriptors_max, nullptr);
};

/// The disk's lock for as long as this lives.
class turn {
public:
  explicit turn(disk& d) : disk_(d) { disk_.lock(); }
  ~turn() {
    const auto kept = errno;
    disk_.unlock();
    errno = kept;
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

private:
  disk& disk_;
};

// The calls, as they are recorded. Each returns what the system's own does, and sets errno.
int open_file(int at, const char* path, int flags, ::mode_t mode);
int close_file(int descriptor);
/// Its descriptor will be closed by somebody else.
void forget_file(int descriptor);
/// Writes at `offset`, or at the file's own position where that is negative.
::ssize_t write_file(int descriptor, const void* bytes, std::size_t size, ::off_t offset);
::ssize_t write_pieces(int descriptor, const iovec* pieces, int count, ::off_t offset);
/// Whether a read may go on.
[[nodiscard]] bool may_read(int descriptor);
[[nodiscard]] bool is_recorded(int descriptor);
int sync_file(long number, int descriptor);
int truncate_file(int descriptor, ::off_t size);
int truncate_path(const char* path, ::off_t size);
int allocate(int descriptor, int mode, ::off_t offset, ::off_t bytes);
int remove_name(int at, const char* path, int flags);
int make_directory_at(int at, const char* path, ::mode_t mode);
int rename_at(int from_at, const char* from, int to_at, const char* to, unsigned flags);
int link_at(int from_at, const char* from, int to_at, const char* to, int flags);
/// A call that the model does not know, on a file of the data directory.
void note_unknown(const char* call, int descriptor);
/// For an end that nobody waits for: no operation is half done, and none begins any more.
void hold_for_ever();

}  // namespace quorate::testing
