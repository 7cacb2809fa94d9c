// Owns a group's log and state machine on one node.
#pragma once

#include "actors/link_account.hpp"
#include "actors/messages.pb.h"
#include "actors/origin.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/role_limits.hpp"
#include "actors/traffic.hpp"
#include "runtime/client_traffic.hpp"
#include "runtime/executor.hpp"
#include "runtime/membership.hpp"
#include "runtime/pending_reads.hpp"
#include "runtime/replica_log.hpp"
#include "runtime/state_agreement.hpp"
#include "runtime/timings.hpp"
#include "sync/messages.hpp"

#include <map>
#include <set>

namespace quorate {

template <>
inline constexpr port destination_of<wire::Applied> = port::replica;

/// replica -> node: for its status page and its health.
struct replica_figures {
  static constexpr std::string_view name = "replica_figures";
  std::uint64_t next = 0;
  std::uint64_t durable = 0;
  std::uint64_t log_first = 0;
  std::uint64_t waiting = 0;
  std::uint64_t sessions = 0;
  std::uint64_t divergences = 0;  ///< members whose states were seen to differ from this node's
  std::uint64_t state_hash = 0;
  std::string quarantine;                   ///< why this node serves nobody; empty: it does
  std::set<node_id> not_served_by;          ///< other members in quarantine
  std::map<node_id, std::uint64_t> others;  ///< their `next`
};
QUORATE_LOCAL_MESSAGE(replica_figures, node)

struct replica_setup {
  std::vector<member> members;
  node_id self;
  epoch_id epoch;
  std::shared_ptr<state_machine> machine;
  store* state = nullptr;  ///< outlives the replica
  node_timings timings;
  log_limits limits;
  session_limits sessions;
  role_limits memory{};
  std::shared_ptr<const link_account> account = std::make_shared<instant_links>();
};

/// Numbers the batches that the protocol delivers, applies them once, answers who waits, serves reads and
/// sync. Invariants: the state is the result of exactly the batches below `next`, in order; once a majority
/// is known to have another state at the same index, nobody is served from this one any more, on this disk
/// (quarantine). Durability:
/// batches and the applied point are lazy: a majority has voted for them durably before they come here, so
/// what a crash takes can be learned again. What is told to others as durable is durable. Source: DESIGN.md
/// sections 6 to 9.
class replica {
public:
  using out = outbox<propose, take_back, fast_forward, forget, barrier, outcomes, withdrawn, read_job,
                     query_results, wire::Applied, catch_up, log_part, log_gone, came_to, replica_figures,
                     replica_load, ready, client_outcomes, quarantined, stop_serving>;
  using handles =
      messages<submission, withdraw, not_ordered, queries, drop_queries, delivered, reached, fell_behind,
               wire::Applied, fetch_log, apply_entries, stage_snapshot, client_submission>;
  static constexpr port place = port::replica;

  explicit replica(replica_setup setup);

  void recover(const journal_view& saved);
  void start(out& o);
  /// Where the protocol has to start behind. \pre recovered
  [[nodiscard]] cursor recovered_to() const { return executor_.point().at; }

  void on(node_id from, const submission& msg, out& o);
  void on(node_id from, const client_submission& msg, out& o);
  void on(node_id from, const withdraw& msg, out& o);
  void on(node_id from, const not_ordered& msg, out& o);
  void on(node_id from, const queries& msg, out& o);
  void on(node_id from, const drop_queries& msg, out& o);
  void on(node_id from, const delivered& msg, out& o);
  void on(node_id from, const reached& msg, out& o);
  void on(node_id from, const fell_behind& msg, out& o);
  void on(node_id from, const wire::Applied& msg, out& o);
  void on(node_id from, const fetch_log& msg, out& o);
  void on(node_id from, const apply_entries& msg, out& o);
  void on(node_id from, const stage_snapshot& msg, out& o);
  void on(journal_rows rows, out& o);
  void on(timer_tag tag, out& o);

private:
  struct fetch {
    node_id peer;
    token transfer;
    log_index from;
  };
  /// Who has submitted a command that has not been executed here.
  struct waiter {
    node_id node;
    bool client = false;    ///< one of this node's desk
    std::size_t bytes = 0;  ///< of a client's command
  };
  struct question {
    node_id from;
    token id;
  };

  void take_in(const batch& value, epoch_id epoch, cursor at, out& o);
  /// Whether it has to be proposed: not known here, neither waiting nor executed; what is known goes to
  /// `known`.
  [[nodiscard]] bool expect(const command& c, const waiter& who, std::vector<outcome>& known);
  void forget_waiter(std::map<command_id, waiter>::iterator one);
  void answer(std::vector<outcome> results, out& o);
  void answer_from_sessions(out& o);
  void ask_for_barrier(const std::optional<barrier>& wanted, out& o);
  void run_queries(std::vector<query> list, out& o);
  /// Parts of a long batch come in from some member.
  [[nodiscard]] bool batches_arrive() const;
  void tell_applied(out& o);
  void finish_snapshot(log_index at, out& o);
  void trim(out& o);
  void ask_for_sync(out& o);
  void pass_on(cursor at, out& o);
  void flush_when_due(out& o);
  void tell_node(out& o);
  void recover_quarantine(const journal_view& saved);
  void tell_state(wire::Applied& msg) const;
  void hear_state(node_id from, const wire::Applied& msg);
  void compare_states(out& o);
  void enter_quarantine(log_index differs, out& o);
  void begin_quarantine(out& o);
  void mind_dispute(std::optional<log_index> at, out& o);
  [[nodiscard]] std::string why_quarantined() const;  ///< \pre differs_
  [[nodiscard]] log_index next() const { return executor_.point().next; }
  [[nodiscard]] std::vector<node_id> others() const;

  replica_setup setup_;
  std::size_t chunk_bytes_max_;
  std::uint64_t far_behind_;
  executor executor_;
  replica_log log_;
  std::map<command_id, waiter> waiting_;
  std::size_t clients_waiting_ = 0;  ///< commands of the desk's clients
  std::size_t clients_bytes_ = 0;

  std::uint64_t generation_ = 0;  ///< of deliveries, as the learner begins; a fast-forward raises it

  pending_reads reads_;

  std::map<token, question> withdrawing_;  ///< asked of the proposer
  std::uint64_t questions_ = 0;

  std::map<node_id, log_index> applied_;  ///< what members last said
  std::map<node_id, log_index> durable_;
  state_agreement agreement_;
  /// Where this node's state was first seen to differ from a majority's: nothing is served any more.
  std::optional<log_index> differs_;
  log_index agreed_;               ///< in quarantine: up to where it had agreed
  std::set<node_id> quarantined_;  ///< other members
  std::optional<time_point> disputed_since_;
  bool dispute_told_ = false;
  log_index marked_;    ///< the log is durable up to here
  log_index told_;      ///< last told to others as applied
  log_index progress_;  ///< where this replica stood when it last moved
  time_point progress_at_{};
  time_point arrived_at_{};  ///< when part of a long batch last came in while it waited, not too long after
  time_point told_at_{};
  log_index forgotten_;
  log_index flush_asked_;
  time_point flush_asked_at_{};
  std::size_t bytes_since_flush_ = 0;
  bool leftover_ = false;  ///< the journal has rows that the recovered log does not
  std::uint64_t fetches_ = 0;
  std::map<token, fetch> fetching_;       ///< reads of the journal under way, for sync
  std::optional<std::uint64_t> staging_;  ///< next part of the snapshot being staged
};

}  // namespace quorate
