// A node's directory on disk: whose it is, and that nobody else has it.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "runtime/directory_lock.hpp"
#include "runtime/durable_files.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace quorate {

/// A node's data directory, locked for as long as this lives, and with it what is in it: the journal's and
/// the state's directory have locks of their own, since they may be links to somewhere else. Invariant: an
/// identity is replaced as a whole or not at all, and never made anew for a directory that holds something.
/// Durability: `begin` has saved the new boot before it returns. Until `begin` nothing is written, so that a
/// start which cannot get what else it needs has changed nothing.
class data_directory {
public:
  static constexpr std::uint32_t format = 2;  ///< of the whole directory
  using opened = std::variant<std::unique_ptr<data_directory>, failure>;

  /// Opens the directory of node `node` in cluster `cluster`, or makes it where it is missing or empty.
  /// Errors: in_use (another process has it), bad_config (another node's or cluster's, another format, or
  /// something that is no data directory), corrupt (an identity that was damaged or is missing), io_failed.
  [[nodiscard]] static opened open(const std::filesystem::path& path, const std::string& cluster,
                                   const std::string& node, system_calls& calls = system_calls::real());
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  /// Begins the boot that `boot` tells: saves it, and makes the databases' directories where they are
  /// missing. Call it once, when everything else that the node needs is there. Errors: in_use, io_failed.
  [[nodiscard]] status begin();

  [[nodiscard]] disk_id disk() const { return identity_.disk; }
  /// 1 on a new disk; higher at every later start that has begun.
  [[nodiscard]] boot_id boot() const { return identity_.boot; }
  /// Until `settle`: nothing has been saved here yet, so the databases may be made. Later, one that is
  /// missing is a loss.
  [[nodiscard]] bool fresh() const { return !identity_.settled; }
  /// The databases have been made. Makes that durable, once; call it before the node's first message.
  [[nodiscard]] status settle();

  /// What `open` has found strange and left alone, a sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

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

  data_directory(std::filesystem::path path, system_calls& calls) : path_(std::move(path)), files_(calls) {}
  [[nodiscard]] static loaded parse(const std::string& text, const std::string& file);
  [[nodiscard]] static std::string print(const identity& id);
  [[nodiscard]] status lock(const std::string& what, const std::filesystem::path& path);
  [[nodiscard]] status load(const std::string& cluster, const std::string& node);
  [[nodiscard]] status save() const;

  std::filesystem::path path_;
  durable_files files_;
  identity identity_;
  std::map<std::filesystem::path, directory_lock> locks_;
  std::vector<std::string> notes_;
};

}  // namespace quorate
