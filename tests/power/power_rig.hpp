// Nodes on recorded disks, and what must be there after their power has gone.
#pragma once

#include "tests/harness/process/append_history.hpp"
#include "tests/harness/process/process_cluster.hpp"
#include "tests/power/recorded_disk.hpp"
#include "tests/power/scratch_folder.hpp"

#include <functional>

namespace quorate::testing {

/// What had been seen at a moment: answers that came later are unknown, what was sent later has not been.
[[nodiscard]] append_history until(const append_history& history, std::chrono::nanoseconds moment);

struct power_plan {
  std::size_t nodes = 1;
  std::uint64_t seed = 1;
  std::size_t boots = 6;
  std::size_t points = 30;      ///< power losses tried, over all boots
  bool heavy = false;           ///< enough bytes to fill files of the journal
  bool faults = true;           ///< failed syncs, short writes, a full disk, kills at any operation
  std::string lost_syncs = {};  ///< a mutant; see disk_control
  std::uint32_t lost_syncs_from = 0;
  bool keep = true;         ///< the files of what fails, for a replay
  bool first_only = false;  ///< ends with the first failure
};

struct power_result {
  std::size_t points = 0;
  std::size_t boots = 0;
  std::vector<std::string> failures;        ///< one text each, the first line says what kind it is
  std::map<std::string, std::size_t> seen;  ///< how often what was tried
};

/// Boots of a cluster under load, one after the other, each of which ends with a kill, a fault or a power
/// loss; from each, directories as of random moments, which must start and have all that was acknowledged.
class power_rig {
public:
  explicit power_rig(power_plan plan);

  [[nodiscard]] power_result run();
  /// One power loss of a run whose files were kept.
  [[nodiscard]] std::string replay(const std::filesystem::path& kept);

private:
  using random = disk_model::random;
  using moment = std::uint64_t;
  struct loss {
    moment at = 0;
    std::vector<survival> how;  ///< of each node
    std::uint64_t seed = 0;
  };

  [[nodiscard]] disk_weather weather();
  /// Whether the chain can go on.
  [[nodiscard]] bool boot(std::size_t number);
  void load(std::size_t number);
  void stop_all();
  [[nodiscard]] bool collect();
  void try_points(std::size_t count);
  void lose_power();
  [[nodiscard]] loss any_loss();
  [[nodiscard]] moment any_moment();
  [[nodiscard]] std::vector<disk_walk> walks() const;
  /// What is left on each disk.
  [[nodiscard]] static std::vector<disk_image> left(std::vector<disk_walk>& walks, const loss& l);
  /// What is wrong, empty if nothing is.
  [[nodiscard]] std::string try_one(const loss& l, const std::vector<disk_image>& left);
  [[nodiscard]] std::string check_started(const append_history& seen);
  void read_all(std::size_t n);
  void fail(const std::string& what, const loss* l = nullptr);
  void save(const std::filesystem::path& folder, const loss& l) const;
  [[nodiscard]] std::string last_words(std::size_t n) const;

  power_plan plan_;
  random random_;
  scratch_folder folder_;
  std::vector<std::unique_ptr<recorded_disk>> disks_;
  std::unique_ptr<process_cluster> cluster_;
  append_history seen_;
  power_result result_;
  moment boot_began_ = 0;
  std::uint64_t probes_ = 0;
};

}  // namespace quorate::testing
