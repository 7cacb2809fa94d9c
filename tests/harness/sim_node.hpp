// A simulated node: its disk, its roles, and everything that can happen to it.
#pragma once

#include "tests/harness/assembly.hpp"
#include "tests/harness/sim_disk.hpp"
#include "tests/harness/sim_role.hpp"
#include "tests/harness/surroundings.hpp"

#include <deque>

namespace quorate::testing {

/// What a node needs of the rest of the cluster.
class sim_cluster {
public:
  virtual ~sim_cluster() = default;
  virtual void transmit(const origin& from, node_id to, const role_address& role, const box& message) = 0;
  virtual void to_client(node_id at, const box& message) = 0;
  virtual void stopped(node_id node) = 0;
};

/// A node that crashes, restarts, freezes and loses its disk.
/// Invariant: nothing of an earlier start happens after a crash, except what the disk has kept.
class sim_node : public role_runner, public role_home {
public:
  sim_node(node_setup setup, assembler make, surroundings& around, sim_cluster& cluster, std::uint64_t seed);

  [[nodiscard]] node_id id() const { return setup_.self; }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool wiped() const { return wiped_; }
  /// Whether its last start was ended by its own disk.
  [[nodiscard]] bool died_of_disk() const { return dying_; }
  /// Whether its replica has said that it serves nobody, since the last start.
  [[nodiscard]] bool quarantined() const { return quarantined_; }
  /// Whether its cluster has ever been founded, as far as its disk tells.
  [[nodiscard]] bool was_founded() const { return was_founded_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] const sim_disk& disk() const { return *disk_; }

  /// \pre can_start()
  void start();
  /// `survives`: percent of the unsynced writes that its disk keeps; nothing: drawn.
  void crash(std::optional<std::uint64_t> survives = std::nullopt);
  /// Crashes, and loses its disk. Starts nothing.
  void wipe();
  void freeze();
  void thaw();
  /// For how long it has been frozen, in all its life.
  [[nodiscard]] duration stood_still() const;
  void slow_down(double factor) { slowness_ = factor; }
  void slow_disk(duration longer) { sync_extra_ = longer; }
  void break_disk() { disk_broken_ = true; }
  /// Counted, since faults may overlap.
  void fill_disk() { ++disk_full_; }
  void free_disk() { --disk_full_; }
  /// Below its reserve, and above it again. Counted too.
  void run_low();
  void have_room();
  /// It could not even save that it starts.
  [[nodiscard]] bool can_start() const { return !alive_ && disk_full_ == 0; }
  void jump_clock(duration ahead) { clock_offset_ += ahead; }
  /// No fault of its own any more; it may still be down.
  void recover();

  /// A message from the network, addressed as its sender would.
  void receive(const origin& from, const role_address& role, const box& message);
  /// From the client at this node's gateway. \returns false where nothing listens
  bool from_client(const box& message);

  void run(std::unique_ptr<any_role> role, const role_identity& identity) override;
  void adopt(const role_identity& identity) override;

private:
  struct waiting {
    std::uint64_t written;
    role_address role;
    std::uint64_t serial;
    std::uint64_t ticket;
  };

  void write(sim_role& by, std::vector<journal_op> ops, bool sync, std::uint64_t ticket) override;
  void send(sim_role& by, send_effect&& effect) override;
  void set_timer(sim_role& by, timer_tag tag, duration after, std::uint64_t generation) override;
  void read(sim_role& by, read_effect&& effect) override;
  void note(sim_role& by, note_effect&& effect) override;
  void trace(sim_role& by, const std::string& what) override;
  [[nodiscard]] bool tracing() const override { return around_.log.tracing(); }
  [[nodiscard]] std::uint64_t durable_writes() const override { return disk_->durable(); }
  [[nodiscard]] std::uint64_t all_writes() const override { return disk_->written(); }
  void broken(std::string_view check, const std::string& why) override;
  [[nodiscard]] time_point clock() const override;

  /// Runs `what` after some time, unless the node has crashed by then; not while it is frozen.
  void later(duration wait, std::function<void()> what);
  void deliver(const origin& from, const role_address& to, const box& message);
  /// The number of the write; nothing where the disk fails.
  [[nodiscard]] std::optional<std::uint64_t> try_to_write(std::vector<journal_op> ops);
  void start_sync();
  void acknowledge(const waiting& w);
  void mind_flush();
  void mind_log(const std::vector<journal_op>& ops);
  void tell_durable();
  void tell_room();
  [[nodiscard]] sim_role* find(const role_address& role);
  [[nodiscard]] sim_role* find(const role_address& role, std::uint64_t serial);
  /// How long a message to a role of this node waits.
  [[nodiscard]] duration local_wait();
  [[nodiscard]] duration short_while(std::uint64_t min_us, std::uint64_t max_us);

  node_setup setup_;
  assembler make_;
  surroundings& around_;
  sim_cluster& cluster_;
  prng prng_;       ///< of what surrounds the roles
  prng role_prng_;  ///< of the roles
  std::unique_ptr<sim_disk> disk_;
  std::unique_ptr<assembly> assembly_;
  std::map<role_address, std::unique_ptr<sim_role>> roles_;
  std::map<std::pair<role_address, port>, time_point> mailbox_last_;  ///< keeps each local pair in order
  std::vector<std::function<void()>> frozen_events_;
  std::vector<waiting> unsynced_;
  /// The number of a write that is to bring the log on the disk up to an index.
  std::deque<std::pair<std::uint64_t, log_index>> logged_;
  log_index durable_;  ///< what was last told of it
  bool syncing_ = false;
  bool flushing_ = false;
  bool alive_ = false;
  bool wiped_ = false;
  bool was_founded_ = false;
  bool quarantined_ = false;
  bool dying_ = false;  ///< its disk has failed: it says nothing more
  bool disk_broken_ = false;
  int disk_full_ = 0;
  int disk_low_ = 0;
  int frozen_ = 0;
  time_point frozen_at_{};
  duration stood_still_{};
  std::uint64_t life_ = 0;
  std::uint64_t serials_ = 0;
  double slowness_ = 1;
  duration sync_extra_{};
  double clock_rate_ = 1;
  duration clock_offset_{};
};

}  // namespace quorate::testing
