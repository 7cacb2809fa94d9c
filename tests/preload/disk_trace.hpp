// What record_disk, which is loaded into a node, and the test that has started the node share: a block of
// memory through which the test steers the disk, and the form of the trace that the disk leaves.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace quorate::testing {

/// One operation that has changed something below the data directory. Behind it, in the trace, stand the
/// bytes of `name`, `other` and the data.
struct disk_event_head {
  static constexpr std::uint32_t right_mark = 0x71'6f'64'65;

  std::uint32_t mark = right_mark;
  std::uint32_t kind = 0;        ///< a disk_event_kind
  std::uint64_t began = 0;       ///< CLOCK_MONOTONIC, ns
  std::uint64_t ended = 0;       ///< the same; what has no end of its own ends when it begins
  std::int32_t descriptor = -1;  ///< of the file
  std::uint32_t flags = 0;       ///< disk_event_flags
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< bytes written; of a truncation: the new size
  std::uint64_t sync = 0;  ///< which sync began or ended
  std::uint32_t name_bytes = 0;
  std::uint32_t other_bytes = 0;
  std::uint64_t data_bytes = 0;  ///< 0 where all `size` bytes are zeros
};

enum class disk_event_kind : std::uint32_t {
  open = 1,        ///< descriptor, name, flags
  close,           ///< descriptor
  write,           ///< descriptor, offset, size, data
  truncate,        ///< descriptor, size; or name, size
  sync_begins,     ///< descriptor, sync. What is written from here on need not be durable when it ends
  sync_ends,       ///< descriptor, sync
  sync_fails,      ///< descriptor, sync: the pages are clean now, and written or not
  rename,          ///< name, other
  remove,          ///< name: a file's or an empty directory's
  make_directory,  ///< name
  link,            ///< name, other
  not_known,       ///< name: a call that the model does not know
};

enum disk_event_flags : std::uint32_t {
  created = 1,  ///< the file was not there before
  emptied = 2,  ///< and had O_TRUNC
  directory = 4,
};

/// Which operations count for a fault.
enum disk_fault_kinds : std::uint32_t {
  fail_writes = 1,  ///< whatever may need room: writes, and names that are made
  fail_syncs = 2,
  fail_reads = 4,  ///< and files that are opened to be read
};

/// What the test tells the disk. The test fills it in before it starts the process.
struct disk_control {
  static constexpr std::uint64_t right_mark = 0x316b'7369'6465'7271;

  std::uint64_t mark = right_mark;
  /// Held during each operation on the data directory, but not during a sync. Who holds it may end the
  /// process without leaving anything that was done but is not in the trace.
  pthread_mutex_t lock;
  std::array<char, 256> root{};   ///< the data directory
  std::array<char, 256> trace{};  ///< where the trace goes; empty: none

  /// Syncs return at once, and nothing else changes: for a start that only shows what is there.
  std::uint32_t no_syncs = 0;
  std::uint32_t sync_takes = 0;  ///< microseconds, besides what it takes
  /// A mutant: syncs of files whose path has this in it ("/": of directories) do nothing and are not in the
  /// trace.
  std::array<char, 32> lost_syncs{};
  std::uint32_t lost_syncs_from = 0;  ///< this many of them are done before

  std::uint32_t fault_kinds = 0;      ///< disk_fault_kinds
  std::uint32_t fault_error = 0;      ///< an errno
  std::uint32_t fault_stays = 0;      ///< all that follow fail too
  std::array<char, 32> fault_part{};  ///< only where the path has this in it
  std::uint64_t fault_at = 0;         ///< the number of the first one that fails, from 1; 0: none
  std::uint64_t short_write_every = 0;
  std::uint64_t kill_at = 0;  ///< SIGKILL instead of this change, from 1; 0: none

  std::atomic<std::uint64_t> changes;    ///< operations so far, as `kill_at` counts them
  std::atomic<std::uint64_t> countable;  ///< operations so far, as `fault_at` counts them
  std::atomic<std::uint64_t> failed;     ///< how many were made to fail
  std::atomic<std::uint64_t> syncs;
};

}  // namespace quorate::testing
