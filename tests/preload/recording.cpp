#include "tests/preload/recording.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <string>

namespace quorate::testing {

namespace {

/// Absolute, without "." and double slashes; empty if it cannot be told.
std::string whole_path(int at, const char* path) {
  std::string all;
  if (path == nullptr)
    return all;
  if (path[0] != '/') {
    std::array<char, PATH_MAX> link{};
    const auto name = at == AT_FDCWD ? std::string{"/proc/self/cwd"} : "/proc/self/fd/" + std::to_string(at);
    const auto n = ::readlink(name.c_str(), link.data(), link.size() - 1);
    if (n <= 0)
      return all;
    all.assign(link.data(), static_cast<std::size_t>(n));
    all += '/';
  }
  all += path;
  std::string out;
  for (std::size_t i = 0; i < all.size();) {
    const auto end = std::min(all.find('/', i), all.size());
    const auto part = std::string_view{all}.substr(i, end - i);
    if (part == "..")
      out.resize(out.find_last_of('/') == out.npos ? 0 : out.find_last_of('/'));
    else if (!part.empty() && part != ".")
      out.append("/").append(part);
    i = end + 1;
  }
  return out;
}

disk_event_head head(disk_event_kind kind, int descriptor = -1) {
  disk_event_head h;
  h.kind = static_cast<std::uint32_t>(kind);
  h.descriptor = descriptor;
  return h;
}

}  // namespace

void note_unknown(const char* call, int descriptor) {
  auto* d = disk::get();
  if (d == nullptr)
    return;
  const turn mine{*d};
  if (d->file(descriptor) != nullptr)
    d->note(head(disk_event_kind::not_known, descriptor), call);
}

int open_file(int at, const char* path, int flags, ::mode_t mode) {
  const auto plainly = [&] { return static_cast<int>(::syscall(SYS_openat, at, path, flags, mode)); };
  auto* d = disk::get();
  const auto whole = d == nullptr ? std::string{} : whole_path(at, path);
  const auto* below = d == nullptr ? nullptr : d->below_root(whole);
  if (below == nullptr)
    return plainly();
  const turn mine{*d};
  struct ::stat facts {};
  const auto there = ::stat(whole.c_str(), &facts) == 0;
  const auto creates = (flags & O_CREAT) != 0 && !there;
  const auto empties = (flags & O_TRUNC) != 0 && there;
  if (creates ? d->fails(fail_writes, whole) : there && S_ISREG(facts.st_mode) && d->fails(fail_reads, whole))
    return -1;
  if (creates || empties)
    d->count_change();
  const auto fd = plainly();
  if (fd < 0)
    return fd;
  const auto is_directory = there && S_ISDIR(facts.st_mode);
  d->opened(fd, is_directory, whole);
  auto h = head(disk_event_kind::open, fd);
  h.flags = (creates ? created : 0u) | (empties ? emptied : 0u) | (is_directory ? directory : 0u);
  d->note(h, below);
  if ((flags & (O_SYNC | O_DSYNC | O_TMPFILE) & ~O_DIRECTORY) != 0)
    d->note(head(disk_event_kind::not_known, fd), "open with O_SYNC, O_DSYNC or O_TMPFILE");
  return fd;
}

int close_file(int descriptor) {
  auto* d = disk::get();
  if (d == nullptr)
    return static_cast<int>(::syscall(SYS_close, descriptor));
  const turn mine{*d};
  if (d->file(descriptor) != nullptr) {
    d->closed(descriptor);
    d->note(head(disk_event_kind::close, descriptor));
  }
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

void forget_file(int descriptor) {
  auto* d = disk::get();
  if (d == nullptr)
    return;
  const turn mine{*d};
  if (d->file(descriptor) != nullptr) {
    d->closed(descriptor);
    d->note(head(disk_event_kind::close, descriptor));
  }
}

::ssize_t write_file(int descriptor, const void* bytes, std::size_t size, ::off_t offset) {
  const auto plainly = [&](std::size_t count) {
    return static_cast<::ssize_t>(offset < 0 ? ::syscall(SYS_write, descriptor, bytes, count)
                                             : ::syscall(SYS_pwrite64, descriptor, bytes, count, offset));
  };
  auto* d = disk::get();
  if (d == nullptr || d->file(descriptor) == nullptr)
    return plainly(size);
  const turn mine{*d};
  if (d->fails(fail_writes, d->file(descriptor)->path))
    return -1;
  d->count_change();
  auto at = offset;
  if (offset < 0) {
    struct ::stat facts {};
    const auto appends = (::fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
    at = appends && ::fstat(descriptor, &facts) == 0 ? facts.st_size : ::lseek(descriptor, 0, SEEK_CUR);
  }
  const auto every = d->control().short_write_every;
  const auto shortened = every != 0 && size > 1 && d->control().changes % every == 0;
  auto h = head(disk_event_kind::write, descriptor);
  h.began = now();
  const auto n = plainly(shortened ? size / 2 : size);
  if (n <= 0)
    return n;
  h.ended = now();
  h.offset = static_cast<std::uint64_t>(at);
  h.size = static_cast<std::uint64_t>(n);
  d->note(h, {}, {}, {static_cast<const char*>(bytes), static_cast<std::size_t>(n)});
  return n;
}

::ssize_t write_pieces(int descriptor, const iovec* pieces, int count, ::off_t offset) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  return write_file(descriptor, all.data(), all.size(), offset);
}

bool is_recorded(int descriptor) {
  auto* d = disk::get();
  return d != nullptr && d->file(descriptor) != nullptr;
}

bool may_read(int descriptor) {
  auto* d = disk::get();
  if (d == nullptr || d->file(descriptor) == nullptr)
    return true;
  const turn mine{*d};
  return d->file(descriptor) == nullptr || !d->fails(fail_reads, d->file(descriptor)->path);
}

int sync_file(long number, int descriptor) {
  auto* d = disk::get();
  if (d == nullptr || d->file(descriptor) == nullptr)
    return static_cast<int>(::syscall(number, descriptor));
  auto h = head(disk_event_kind::sync_begins, descriptor);
  {
    const turn mine{*d};
    if (d->file(descriptor) == nullptr || d->sync_is_lost(*d->file(descriptor)))
      return 0;
    d->count_change();
    h.sync = ++d->control().syncs;
    d->note(h);
    if (d->fails(fail_syncs, d->file(descriptor)->path)) {
      h.kind = static_cast<std::uint32_t>(disk_event_kind::sync_fails);
      d->note(h);
      errno = static_cast<int>(d->control().fault_error);
      return -1;
    }
  }
  if (const auto pause = d->control().sync_takes; pause != 0) {
    const timespec span{0, static_cast<long>(pause) * 1'000};
    ::nanosleep(&span, nullptr);
  }
  const auto failed = d->control().no_syncs != 0 ? 0 : static_cast<int>(::syscall(number, descriptor));
  const turn mine{*d};
  h.kind = static_cast<std::uint32_t>(failed == 0 ? disk_event_kind::sync_ends : disk_event_kind::sync_fails);
  d->note(h);
  return failed;
}

int truncate_file(int descriptor, ::off_t size) {
  auto* d = disk::get();
  if (d == nullptr || d->file(descriptor) == nullptr)
    return static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  const turn mine{*d};
  if (d->fails(fail_writes, d->file(descriptor)->path))
    return -1;
  d->count_change();
  const auto failed = static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  auto h = head(disk_event_kind::truncate, descriptor);
  h.size = static_cast<std::uint64_t>(size);
  if (failed == 0)
    d->note(h);
  return failed;
}

int truncate_path(const char* path, ::off_t size) {
  auto* d = disk::get();
  const auto whole = d == nullptr ? std::string{} : whole_path(AT_FDCWD, path);
  const auto* below = d == nullptr ? nullptr : d->below_root(whole);
  if (below == nullptr)
    return static_cast<int>(::syscall(SYS_truncate, path, size));
  const turn mine{*d};
  if (d->fails(fail_writes, whole))
    return -1;
  d->count_change();
  const auto failed = static_cast<int>(::syscall(SYS_truncate, path, size));
  auto h = head(disk_event_kind::truncate);
  h.size = static_cast<std::uint64_t>(size);
  if (failed == 0)
    d->note(h, below);
  return failed;
}

/// Blocks without a size change nothing that can be read.
int allocate(int descriptor, int mode, ::off_t offset, ::off_t bytes) {
  auto* d = disk::get();
  if (d == nullptr || d->file(descriptor) == nullptr)
    return static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, bytes));
  const turn mine{*d};
  if (d->fails(fail_writes, d->file(descriptor)->path))
    return -1;
  d->count_change();
  struct ::stat before {};
  struct ::stat after {};
  ::fstat(descriptor, &before);
  const auto failed = static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, bytes));
  if (failed != 0)
    return failed;
  if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) {
    d->note(head(disk_event_kind::not_known, descriptor), "fallocate of a kind that changes bytes");
  } else if (::fstat(descriptor, &after) == 0 && after.st_size != before.st_size) {
    auto h = head(disk_event_kind::truncate, descriptor);
    h.size = static_cast<std::uint64_t>(after.st_size);
    d->note(h);
  }
  return 0;
}

namespace {

/// A change of one or two names: `plainly` makes it and returns 0, or -1 and errno.
template <class Change>
int change_names(disk_event_kind kind, int at, const char* path, int other_at, const char* other_path,
                 bool needs_room, Change plainly) {
  auto* d = disk::get();
  if (d == nullptr)
    return plainly();
  const auto whole = whole_path(at, path);
  const auto other = other_path == nullptr ? std::string{} : whole_path(other_at, other_path);
  const auto* below = d->below_root(whole);
  const auto* other_below = other_path == nullptr ? "" : d->below_root(other);
  if (below == nullptr && (other_path == nullptr || other_below == nullptr))
    return plainly();
  const turn mine{*d};
  if (below == nullptr || other_below == nullptr) {
    d->note(head(disk_event_kind::not_known), "a name that comes from elsewhere, or goes there");
    return plainly();
  }
  if (needs_room && d->fails(fail_writes, whole))
    return -1;
  d->count_change();
  const auto failed = plainly();
  if (failed == 0)
    d->note(head(kind), below, other_below);
  return failed;
}

}  // namespace

int remove_name(int at, const char* path, int flags) {
  return change_names(disk_event_kind::remove, at, path, 0, nullptr, false,
                      [&] { return static_cast<int>(::syscall(SYS_unlinkat, at, path, flags)); });
}

int make_directory_at(int at, const char* path, ::mode_t mode) {
  return change_names(disk_event_kind::make_directory, at, path, 0, nullptr, true,
                      [&] { return static_cast<int>(::syscall(SYS_mkdirat, at, path, mode)); });
}

int rename_at(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  if (flags != 0)
    if (auto* d = disk::get(); d != nullptr && d->below_root(whole_path(from_at, from)) != nullptr)
      complain("renameat2 with flags is not known");
  return change_names(disk_event_kind::rename, from_at, from, to_at, to, true, [&] {
    return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, flags));
  });
}

int link_at(int from_at, const char* from, int to_at, const char* to, int flags) {
  return change_names(disk_event_kind::link, from_at, from, to_at, to, true, [&] {
    return static_cast<int>(::syscall(SYS_linkat, from_at, from, to_at, to, flags));
  });
}

void hold_for_ever() {
  if (auto* d = disk::get())
    d->lock();
}

}  // namespace quorate::testing
