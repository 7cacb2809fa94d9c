// A node's directory on disk: whose it is, and that nobody else has it.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <variant>

namespace quorate {

/// A node's data directory, locked for as long as this lives.
/// Invariant: an identity is replaced as a whole or not at all, and never made anew for a directory that
/// holds something. Durability: `open` has saved the new boot before it returns.
class data_directory {
public:
  static constexpr std::uint32_t format = 1;  ///< of the whole directory
  using opened = std::variant<std::unique_ptr<data_directory>, failure>;

  /// Opens the directory of node `node` in cluster `cluster`, or makes it where it is missing or empty.
  /// Errors: in_use (another process has it), bad_config (another node's or cluster's, a newer format, or
  /// something that is no data directory), corrupt (an identity that was damaged or is missing), io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& path, const std::string& cluster,
                                   const std::string& node);
  ~data_directory();
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  [[nodiscard]] disk_id disk() const { return identity_.disk; }
  /// 1 on a new disk; higher at every later start.
  [[nodiscard]] boot_id boot() const { return identity_.boot; }
  /// Until `settle`: nothing has been saved here yet, so the databases may be made. Later, one that is
  /// missing is a loss.
  [[nodiscard]] bool fresh() const { return !identity_.settled; }
  /// The databases have been made. Makes that durable; call it before the node's first message.
  [[nodiscard]] status settle();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path journal_path() const { return path_ / "journal"; }
  [[nodiscard]] std::filesystem::path state_path() const { return path_ / "state"; }

private:
  struct identity {
    std::string cluster;
    std::string node;
    disk_id disk;
    boot_id boot;
    bool settled = false;
  };
  using loaded = std::variant<identity, failure>;

  data_directory() = default;
  [[nodiscard]] static loaded parse(const std::string& text, const std::string& file);
  [[nodiscard]] static std::string print(const identity& id);
  [[nodiscard]] status lock();
  [[nodiscard]] status load(const std::string& cluster, const std::string& node);
  [[nodiscard]] status save() const;

  std::filesystem::path path_;
  identity identity_;
  int lock_ = -1;
};

}  // namespace quorate
