// The data directory of one node, on a disk that is recorded.
#pragma once

#include "tests/harness/process/child_process.hpp"
#include "tests/power/disk_model.hpp"

#include <optional>

namespace quorate::testing {

/// What the disk does to its process in one boot; see disk_control.
struct disk_weather {
  std::string lost_syncs;
  std::uint32_t lost_syncs_from = 0;
  std::uint32_t fault_kinds = 0;
  int fault_error = 0;
  bool fault_stays = false;
  std::string fault_part;
  std::uint64_t fault_at = 0;
  std::uint64_t short_write_every = 0;
  std::uint64_t kill_at = 0;
};

/// Follows the traces of several boots up to any moment, forwards only.
class disk_walk {
public:
  disk_walk(const disk_image& base, std::vector<std::shared_ptr<const disk_trace>> traces);
  /// Applies what began until then; of syncs, what had returned.
  void to(std::uint64_t moment);
  void to_the_end();
  [[nodiscard]] const disk_model& model() const { return model_; }

private:
  disk_model model_;
  std::vector<std::shared_ptr<const disk_trace>> traces_;
  std::size_t trace_ = 0;
  std::size_t event_ = 0;
};

/// Invariant: what is on the real disk between two boots is what the model has in its cache.
class recorded_disk {
public:
  /// Files of its own in `folder`, which begin with `name`.
  recorded_disk(std::filesystem::path folder, std::string name);
  ~recorded_disk();
  recorded_disk(const recorded_disk&) = delete;
  recorded_disk& operator=(const recorded_disk&) = delete;

  /// For whoever starts the node; it stays the same.
  [[nodiscard]] std::vector<std::string> environment() const;
  [[nodiscard]] std::filesystem::path data() const { return file("data"); }

  /// The next process is recorded.
  void record(const disk_weather& weather = {});
  /// The next process is not recorded and its syncs do nothing: it only shows what is there, or what becomes
  /// of it when the disk fails.
  void show(const disk_weather& weather = {});
  /// Waits until no operation is under way; none begins before `release`. A process may be killed meanwhile.
  void hold();
  void release();
  /// The recorded process has ended. What is wrong with the record, empty if nothing is: its cache must be
  /// what is on the real disk.
  [[nodiscard]] std::string boot_ends();

  /// Since the last power loss.
  [[nodiscard]] disk_walk walk() const { return {base_, traces_}; }
  [[nodiscard]] const std::vector<std::shared_ptr<const disk_trace>>& traces() const { return traces_; }
  /// The power was lost, and `left` is what is there now.
  void lose_power(disk_image left);
  /// Puts `other` in place of the data; `put_back` undoes it.
  void put_aside(const disk_image& other);
  void put_back();

  [[nodiscard]] std::uint64_t changes() const { return control_->changes.load(); }
  [[nodiscard]] std::uint64_t countable() const { return control_->countable.load(); }
  [[nodiscard]] std::uint64_t failed() const { return control_->failed.load(); }

  /// Keeps what a replay needs, in `folder`; and reads it again.
  void save(const std::filesystem::path& folder) const;
  void load(const std::filesystem::path& folder);

private:
  [[nodiscard]] std::filesystem::path file(const std::string& what) const {
    return folder_ / (name_ + "." + what);
  }
  [[nodiscard]] std::filesystem::path trace_file(std::size_t boot) const {
    return file("trace." + std::to_string(boot));
  }
  void fresh_control(const disk_weather& weather, bool recorded);

  std::filesystem::path folder_;
  std::string name_;
  disk_control* control_ = nullptr;
  disk_image base_;
  std::vector<std::shared_ptr<const disk_trace>> traces_;
};

}  // namespace quorate::testing
