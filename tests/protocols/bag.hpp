// A bag of messages: all roles of a few paxos nodes, driven by one seed, with every fault a bag can have.
#pragma once

#include "actors/gate.hpp"
#include "actors/limits.hpp"
#include "actors/role.hpp"
#include "protocols/contract.hpp"
#include "protocols/paxos/ports.hpp"
#include "protocols/quorum.hpp"

#include <deque>
#include <map>
#include <set>
#include <stdexcept>

namespace quorate::testing {

/// What a seed found.
class bag_fault : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

using roles_maker = std::function<std::vector<std::unique_ptr<any_role>>(const protocol_context&)>;

/// Messages between nodes are lost, doubled and reordered, nodes crash and keep a prefix of what they have
/// not synced. Within a node messages keep their order. After each step: no ballot is used twice, no vote is
/// forgotten or lies below a promise, at most one batch is chosen in a slot (all counted from what is sent),
/// every node delivers the same chosen batches in the same order, nothing that was taken back, nothing twice
/// without a fast-forward; a barrier is reached behind what was delivered before it.
class bag {
public:
  bag(std::uint64_t seed, std::size_t members, roles_maker make);

  /// Throws bag_fault. `steps` with faults; then everything works, and all that is still wanted must be
  /// delivered.
  void run(int steps);

  [[nodiscard]] std::size_t delivered_count() const { return log_.size(); }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t fast_forwards() const { return fast_forwards_; }
  [[nodiscard]] time_point healed_after() const { return healed_after_; }

private:
  struct node;
  /// A role at work.
  struct desk final : effect_driver {
    desk(bag& w, node& n, std::unique_ptr<any_role> r);
    void run();
    void write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) override;
    void send(send_effect&& effect) override;
    void set_timer(const timer_effect& effect) override { timers[effect.tag] = world.now_ + effect.after; }
    void cancel_timer(const cancel_effect& effect) override { timers.erase(effect.tag); }
    void read(read_effect&& effect) override;
    void note(note_effect&&) override {}

    bag& world;
    node& home;
    std::unique_ptr<any_role> role;
    journal_space space;
    quorate::gate gate;
    origin_filter filter;
    prng random;
    std::map<timer_tag, time_point> timers;
    std::deque<journal_rows> rows;
  };
  struct promised_write {
    desk* by;
    std::uint64_t ticket;
    bool sync;
  };
  struct node {
    node_id id;
    boot_id boot;
    bool alive = false;
    memory_journal disk;
    std::deque<promised_write> unsynced;  ///< one per commit
    std::map<port, std::unique_ptr<desk>> desks;
    std::deque<std::pair<node_id, box>> inbox;  ///< from its own roles
    std::size_t executed = 0;                   ///< batches of log_
    std::size_t durable = 0;                    ///< of these, what a restart begins with
    std::uint64_t generation = 0;
    bool wants_sync = false;
    std::map<token, std::size_t> barriers;  ///< how much had been delivered anywhere when it was asked for
    std::set<command_id> wanted;            ///< proposed in this boot, not taken back
  };
  struct in_flight {
    origin from;
    node_id to;
    box message;
  };
  /// What this seed is made of; each seed has its own mixture.
  struct mixture {
    std::uint64_t local, remote, disk, time, client, replica, crash;  ///< weights
    double lost, doubled, held_back;                                  ///< percent
    duration step_max;
  };
  struct entry {
    paxos::slot at;
    batch_id id;
  };

  void step();
  void fetch_rows(node& n);
  void heal();
  void start(node& n);
  void crash(node& n);
  void hand_over(node& n, node_id from, const box& message);
  void deliver_remote(bool faults);
  void sync(node& n, std::size_t commits);
  void pass_time(duration at_most);
  void take_in(node& n, const delivered& d);
  void watch(const node& by, const paxos::Prepare& msg);
  void watch(const node& by, const with_payload<paxos::Promise>& msg);
  void watch(const node& by, const with_payload<paxos::Accepted>& msg);
  void client(node& n);
  void replica(node& n);
  [[nodiscard]] bool settled() const;
  [[nodiscard]] origin origin_of(const node& n) const;
  [[nodiscard]] node& any_node() { return *nodes_[random_.below(nodes_.size())]; }
  [[nodiscard]] paxos::slot slot_at(std::size_t executed) const {
    return executed ? log_[executed - 1].at : 0;
  }

  prng random_;
  mixture mix_;
  roles_maker make_;
  majority quorum_;
  std::vector<member> members_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<in_flight> bag_;
  time_point now_{};
  time_point healed_after_{};
  std::vector<entry> log_;  ///< in the order of delivery
  std::map<paxos::slot, std::map<ballot, std::pair<batch_id, vote_count>>> votes_;
  std::map<paxos::slot, batch_id> chosen_;
  /// What an acceptor has let others know about a slot.
  struct statements {
    ballot voted;                                     ///< the highest
    std::vector<std::pair<ballot, ballot>> promises;  ///< the vote that was told with it, and the promise
  };
  std::map<std::pair<node_id, paxos::slot>, statements> said_;
  std::map<ballot, std::pair<paxos::slot, boot_id>> prepared_;
  std::set<command_id> taken_back_;
  std::map<command_id, std::size_t> delivered_;
  std::uint64_t commands_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t fast_forwards_ = 0;
};

}  // namespace quorate::testing
