// What a disk holds after the power has gone.
#pragma once

#include "tests/power/disk_image.hpp"
#include "tests/power/disk_trace.hpp"

#include <functional>
#include <map>
#include <random>
#include <set>

namespace quorate::testing {

/// What becomes of the changes that nothing has made durable.
enum class survival : std::uint8_t {
  nothing,     ///< all of them are lost
  everything,  ///< none: as after kill -9
  prefix,      ///< those up to one moment are kept, whole; the write at that moment is torn
  suffix,      ///< those from one moment on, and none before
  files,       ///< each file's, or none of its
  pages,       ///< each page goes its own way
  torn,        ///< and where one has changed, its sectors do
};
inline constexpr std::size_t survivals = 7;

[[nodiscard]] const char* name_of(survival how);

/// Follows a trace: what is in the system's cache, and what the disk may hold.
///
/// What is promised (by POSIX, as ext4 and XFS keep it):
/// - a sync of a file that has returned makes durable what had been written when it began: bytes and size,
/// not
///   the file's name;
/// - a sync of a directory makes its names durable; a rename survives whole or not at all.
/// What is not: any order among writes, among names of different directories, or of names and bytes. A page
/// (4 KiB) is written as the cache had it at some moment; when the power goes, some of its sectors (512
/// bytes) may come from an earlier moment. Names are lost from one moment on, as a journal of the file system
/// loses them, or, where pages are, one by one. A sync that fails leaves the pages clean: written or not, and
/// not written by any later sync unless they have been changed again.
class disk_model {
public:
  using random = std::mt19937_64;

  /// All that is in `durable` is.
  explicit disk_model(const disk_image& durable = {});

  /// Throws std::logic_error for one that does not fit to what was before.
  void apply(const disk_event& e);
  /// The process has ended: its descriptors are closed.
  void process_ends();

  /// What a process that starts now finds.
  [[nodiscard]] disk_image cached() const;
  /// What one that starts after a power loss finds.
  [[nodiscard]] disk_image crash(survival how, random& r) const;
  /// How many operations have been applied.
  [[nodiscard]] std::uint64_t operations() const { return now_; }

private:
  struct page_version {
    std::uint64_t op = 0;
    page_ptr bytes;
    bool stuck = false;  ///< of a sync that has failed
  };
  struct page_state {
    page_ptr durable;
    page_ptr cached;
    std::vector<page_version> later;
  };
  struct size_version {
    std::uint64_t op = 0;
    std::uint64_t size = 0;
    bool stuck = false;
  };
  struct inode {
    bool is_directory = false;
    std::string path;  ///< of a directory
    std::uint64_t durable_size = 0;
    std::uint64_t cached_size = 0;
    std::vector<size_version> sizes;
    std::vector<page_state> pages;
    std::set<std::size_t> changed;  ///< pages with later versions
  };
  using inode_number = std::size_t;
  using names = std::map<std::string, inode_number>;
  /// A name comes (`to`), goes (`from`), or changes.
  struct name_change {
    std::uint64_t op = 0;
    std::string from;
    std::string to;
    inode_number file = 0;
  };
  class chooser;

  [[nodiscard]] inode_number make(bool is_directory, const std::string& path);
  [[nodiscard]] inode& of(int descriptor);
  [[nodiscard]] inode_number named(std::string_view name) const;
  void open(const disk_event& e);
  void write(inode& f, std::uint64_t offset, std::uint64_t size, std::string_view data);
  void truncate(inode& f, std::uint64_t size);
  void resize(inode& f, std::uint64_t size);
  void change_page(inode& f, std::size_t number, page_ptr bytes);
  void change_name(std::string from, std::string to, inode_number file);
  void sync_ends(inode& f, std::uint64_t upto);
  void sync_names(const std::string& path, std::uint64_t upto);
  static void sync_fails(inode& f);
  static void rename(names& in, const name_change& c);
  [[nodiscard]] disk_image image(const names& of, const std::function<file_image(const inode&)>& file) const;

  std::vector<inode> inodes_;
  names durable_names_;
  names cached_names_;
  std::vector<name_change> name_changes_;
  std::map<int, inode_number> descriptors_;
  std::map<std::uint64_t, std::uint64_t> syncs_;  ///< the operation at which each that is under way began
  std::uint64_t now_ = 0;
};

}  // namespace quorate::testing
