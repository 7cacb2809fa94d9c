// System calls that know what of a directory is on the disk, and let each of them be the last.
#pragma once

#include "actors/prng.hpp"
#include "runtime/system_calls.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace quorate::testing {

/// The real system below one directory, with a shadow of what a loss of power leaves of it. What was written
/// since the last sync of a file, and what happened to names since the last one of their directory, is there
/// in any combination, torn at sectors. Below it a process may be killed at any call, or get an error from
/// it; a sync that failed has given up some of what it was to write: readers see it until the power is lost,
/// and no later sync writes it.
class power_loss : public system_calls {
public:
  static constexpr std::size_t sector = 512;

  power_loss(std::filesystem::path root, prng& random);

  /// What happens at the `calls`th call from now that changes something.
  enum class fault { kill, error, no_space, short_write, interrupted };
  void plan(fault what, std::size_t calls);
  /// The planned fault has happened. A short write and an interrupted call are none that anybody may notice.
  [[nodiscard]] bool struck() const;
  [[nodiscard]] bool killed() const;

  /// A process that has ended; the next one sees all that it has written. \pre its files are closed
  void restart();
  /// The machine loses power, and comes back. \pre as above
  void lose_power();

  int open(const std::filesystem::path& path, int flags) override;
  ssize_t pwrite(int fd, std::string_view bytes, std::uint64_t at) override;
  ssize_t pread(int fd, char* to, std::size_t bytes, std::uint64_t at) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int close(int fd) override;
  int rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  int unlink(const std::filesystem::path& path) override;
  int mkdir(const std::filesystem::path& path) override;
  ssize_t getrandom(void* to, std::size_t bytes) override;

private:
  struct node;
  using node_ptr = std::shared_ptr<node>;
  /// A write to a file; without bytes it is cut to nothing.
  struct change {
    std::uint64_t at = 0;
    std::optional<std::string> bytes;
  };
  /// What one call has done to names: gone, or of this node now.
  using names = std::map<std::string, node_ptr>;
  struct node {
    bool directory = false;
    std::string bytes;             ///< on the disk
    std::vector<change> pending;   ///< not yet, in order
    names entries;                 ///< on the disk
    names seen;                    ///< by processes
    std::vector<names> renamings;  ///< not yet on the disk, in order
  };

  /// Counts a call that changes something; false where it must not happen, with errno.
  [[nodiscard]] bool goes_ahead(fault& what);
  [[nodiscard]] node_ptr find(const std::filesystem::path& path) const;
  int sync(int fd);
  static void rename(names& in, const names& what);
  static void rename_in(node& directory, names what);
  static void apply(std::string& bytes, const change& c);
  [[nodiscard]] std::optional<change> torn(const change& c);
  void settle(node& n);
  void write_down(const node& n, const std::filesystem::path& path) const;

  mutable std::mutex mutex_;
  std::filesystem::path root_;
  prng& random_;
  node_ptr tree_ = std::make_shared<node>();
  std::map<int, node_ptr> open_;
  std::optional<fault> planned_;
  std::size_t left_ = 0;
  bool dead_ = false;
  bool struck_ = false;
};

}  // namespace quorate::testing
