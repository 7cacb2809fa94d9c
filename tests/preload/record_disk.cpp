// A disk that remembers: loaded into a node before the C library, it writes down what the node changes below
// its data directory, and makes operations fail where it is told to. Not part of the product.
//
// All operations on the data directory, apart from syncs, happen one at a time. A write is in the trace
// before the next operation begins. A sync is in it twice: when it begins and when it has returned; what is
// in between is not known to be durable. So the trace never claims more than the system has promised.
#include "tests/preload/recording.hpp"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>

namespace {

using namespace quorate::testing;

template <class Call>
Call real(const char* name) {
  return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name));
}

[[gnu::destructor]] void at_exit() {
  hold_for_ever();
}

::mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<::mode_t>(va_arg(rest, int)) : 0;
}

}  // namespace

#define OPEN_CALL(name)                                                                                      \
  extern "C" int name(const char* path, int flags, ...) {                                                    \
    va_list rest;                                                                                            \
    va_start(rest, flags);                                                                                   \
    const auto mode = mode_of(flags, rest);                                                                  \
    va_end(rest);                                                                                            \
    return open_file(AT_FDCWD, path, flags, mode);                                                           \
  }
#define OPENAT_CALL(name)                                                                                    \
  extern "C" int name(int at, const char* path, int flags, ...) {                                            \
    va_list rest;                                                                                            \
    va_start(rest, flags);                                                                                   \
    const auto mode = mode_of(flags, rest);                                                                  \
    va_end(rest);                                                                                            \
    return open_file(at, path, flags, mode);                                                                 \
  }

OPEN_CALL(open)
OPEN_CALL(open64)
OPENAT_CALL(openat)
OPENAT_CALL(openat64)

extern "C" {

int __open_2(const char* path, int flags) {
  return open_file(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char* path, int flags) {
  return open_file(AT_FDCWD, path, flags, 0);
}
int __openat_2(int at, const char* path, int flags) {
  return open_file(at, path, flags, 0);
}
int __openat64_2(int at, const char* path, int flags) {
  return open_file(at, path, flags, 0);
}
int creat(const char* path, ::mode_t mode) {
  return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char* path, ::mode_t mode) {
  return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int close(int descriptor) {
  return close_file(descriptor);
}
int fclose(FILE* file) {
  if (file != nullptr)
    forget_file(::fileno(file));
  static const auto call = real<int (*)(FILE*)>("fclose");
  return call(file);
}

::ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  return write_file(descriptor, bytes, size, -1);
}
::ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, ::off_t offset) {
  return write_file(descriptor, bytes, size, offset);
}
::ssize_t pwrite64(int descriptor, const void* bytes, std::size_t size, ::off_t offset) {
  return write_file(descriptor, bytes, size, offset);
}
::ssize_t writev(int descriptor, const iovec* pieces, int count) {
  if (is_recorded(descriptor))
    return write_pieces(descriptor, pieces, count, -1);
  return ::syscall(SYS_writev, descriptor, pieces, count);
}
::ssize_t pwritev(int descriptor, const iovec* pieces, int count, ::off_t offset) {
  if (is_recorded(descriptor))
    return write_pieces(descriptor, pieces, count, offset);
  return ::syscall(SYS_pwritev, descriptor, pieces, count, offset, 0);
}
::ssize_t pwritev64(int descriptor, const iovec* pieces, int count, ::off_t offset) {
  return pwritev(descriptor, pieces, count, offset);
}

int ftruncate(int descriptor, ::off_t size) noexcept {
  return truncate_file(descriptor, size);
}
int ftruncate64(int descriptor, ::off_t size) noexcept {
  return truncate_file(descriptor, size);
}
int truncate(const char* path, ::off_t size) noexcept {
  return truncate_path(path, size);
}
int truncate64(const char* path, ::off_t size) noexcept {
  return truncate_path(path, size);
}
int fallocate(int descriptor, int mode, ::off_t offset, ::off_t bytes) {
  return allocate(descriptor, mode, offset, bytes);
}
int fallocate64(int descriptor, int mode, ::off_t offset, ::off_t bytes) {
  return allocate(descriptor, mode, offset, bytes);
}
int posix_fallocate(int descriptor, ::off_t offset, ::off_t bytes) {
  return allocate(descriptor, 0, offset, bytes) == 0 ? 0 : errno;
}
int posix_fallocate64(int descriptor, ::off_t offset, ::off_t bytes) {
  return allocate(descriptor, 0, offset, bytes) == 0 ? 0 : errno;
}

int fsync(int descriptor) {
  return sync_file(SYS_fsync, descriptor);
}
int fdatasync(int descriptor) {
  return sync_file(SYS_fdatasync, descriptor);
}
// Promises nothing: it does not flush the disk's own cache, nor what is needed to find the blocks.
int sync_file_range(int descriptor, ::off64_t offset, ::off64_t bytes, unsigned flags) {
  auto* d = disk::get();
  if (d != nullptr && d->control().no_syncs != 0)
    return 0;
  return static_cast<int>(::syscall(SYS_sync_file_range, descriptor, offset, bytes, flags));
}
void sync() noexcept {
  complain("sync() is not known");
}
int syncfs(int descriptor) noexcept {
  note_unknown("syncfs", descriptor);
  return static_cast<int>(::syscall(SYS_syncfs, descriptor));
}

int rename(const char* from, const char* to) noexcept {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  return rename_at(from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
  return rename_at(from_at, from, to_at, to, flags);
}
int unlink(const char* path) noexcept {
  return remove_name(AT_FDCWD, path, 0);
}
int unlinkat(int at, const char* path, int flags) noexcept {
  return remove_name(at, path, flags);
}
int rmdir(const char* path) noexcept {
  return remove_name(AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
  const auto failed = remove_name(AT_FDCWD, path, 0);
  return failed != 0 && (errno == EISDIR || errno == EPERM) ? remove_name(AT_FDCWD, path, AT_REMOVEDIR)
                                                            : failed;
}
int mkdir(const char* path, ::mode_t mode) noexcept {
  return make_directory_at(AT_FDCWD, path, mode);
}
int mkdirat(int at, const char* path, ::mode_t mode) noexcept {
  return make_directory_at(at, path, mode);
}
int link(const char* from, const char* to) noexcept {
  return link_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
  return link_at(from_at, from, to_at, to, flags);
}

::ssize_t pread(int descriptor, void* bytes, std::size_t size, ::off_t offset) {
  if (!may_read(descriptor))
    return -1;
  return ::syscall(SYS_pread64, descriptor, bytes, size, offset);
}
::ssize_t pread64(int descriptor, void* bytes, std::size_t size, ::off_t offset) {
  return pread(descriptor, bytes, size, offset);
}
::ssize_t read(int descriptor, void* bytes, std::size_t size) {
  if (!may_read(descriptor))
    return -1;
  return ::syscall(SYS_read, descriptor, bytes, size);
}

void* mmap(void* wanted, std::size_t size, int protection, int flags, int descriptor,
           ::off_t offset) noexcept {
  if (descriptor >= 0 && (flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) != 0)
    note_unknown("mmap that writes", descriptor);
  return reinterpret_cast<void*>(::syscall(SYS_mmap, wanted, size, protection, flags, descriptor, offset));
}
::ssize_t copy_file_range(int from, ::off64_t* from_at, int to, ::off64_t* to_at, std::size_t size,
                          unsigned flags) {
  note_unknown("copy_file_range", to);
  return ::syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
}
::ssize_t sendfile(int to, int from, ::off_t* at, std::size_t size) noexcept {
  note_unknown("sendfile", to);
  return ::syscall(SYS_sendfile, to, from, at, size);
}
int dup(int descriptor) noexcept {
  note_unknown("dup", descriptor);
  return static_cast<int>(::syscall(SYS_dup, descriptor));
}

[[noreturn]] void _exit(int code) {
  hold_for_ever();
  ::syscall(SYS_exit_group, code);
  __builtin_unreachable();
}
[[noreturn]] void _Exit(int code) noexcept {
  _exit(code);
}
[[noreturn]] void abort() noexcept {
  hold_for_ever();
  real<void (*)()>("abort")();
  __builtin_unreachable();
}

}  // extern "C"
