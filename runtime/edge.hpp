// This node's client edge: sessions, sequences, deadlines, limits.
#pragma once

#include "actors/limits.hpp"
#include "actors/link_account.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"
#include "balancers/messages.hpp"
#include "runtime/admission.hpp"
#include "runtime/timings.hpp"

#include <deque>
#include <map>
#include <optional>

namespace quorate {

struct edge_limits {
  std::size_t requests_max = 4'096;          ///< unanswered writes at once, and as many reads; beyond: overloaded
  std::size_t bytes_max = 64 * 1024 * 1024;  ///< of their bodies
  /// A command that another node does not answer for so long goes to one that has not had it, then for twice
  /// as long, …, and at last to this node's own replica, where it stays.
  duration patience = 500ms;
};

/// Turns clients' requests into commands of one session, has them handed to a node, this one or another, and
/// answers every request exactly once, by its deadline. Invariants: an answer never lies. ok: executed.
/// no_quorum, overloaded, disk_full: never executed, and never will be. unknown_outcome: may or may not have been, and
/// may still be. Only what no other node was ever handed, and this node's replica at most once, is ever taken
/// back, or sent again under another id: of everything else a copy may lie anywhere. Source: DESIGN.md
/// section 6; balancers/docs/2026-11-24-where-a-command-goes.md.
class edge {
public:
  using out = outbox<submission, withdraw, queries, drop_queries, client_replies, route, feedback>;
  using handles = messages<client_requests, ready, outcomes, withdrawn, query_results, routed, route_mode,
                           route_again, nodes_lost, admission, quarantined>;
  static constexpr port place = port::edge;

  /// `session_window`: sequences that the replicas remember of a session.
  edge(node_id self, boot_id boot, edge_limits limits = {},
       std::uint64_t session_window = limits::session_window,
       std::shared_ptr<const link_account> account = std::make_shared<instant_links>())
      : self_(self), boot_(boot), limits_(limits), account_(std::move(account)),
        span_max_(session_window / 2) {}

  void start(out& o);
  void on(node_id from, const client_requests& msg, out& o);
  void on(node_id from, const ready& msg, out& o);
  void on(node_id from, const outcomes& msg, out& o);
  void on(node_id from, const withdrawn& msg, out& o);
  void on(node_id from, const query_results& msg, out& o);
  void on(node_id from, const routed& msg, out& o);
  void on(node_id from, const route_mode& msg, out& o);
  void on(node_id from, const route_again& msg, out& o);
  void on(node_id from, const nodes_lost& msg, out& o);
  void on(node_id from, const admission& msg, out& o);
  void on(node_id from, const quarantined& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  struct write {
    token id;  ///< the gateway's
    command what;
    time_point deadline;
    enum class state : std::uint8_t {
      waiting,   ///< nobody has it now
      choosing,  ///< the balancer has it
      handed,    ///< `at` has it
    };
    state now = state::waiting;
    bool withdrawing = false;
    node_id at;
    time_point since{};           ///< it left for the balancer, or for `at` where that was not asked
    time_point moved{};           ///< when it, or what was made of it, was last seen on its way
    std::optional<link_account::mark> upto;  ///< it lies before this, on its way to `at`
    std::optional<time_point> taken;         ///< there
    std::vector<node_id> others;  ///< that were ever handed it, in order; the last may be `at`

    /// Whether no copy of it can be anywhere else than in this node's replica.
    [[nodiscard]] bool only_at(node_id self) const {
      return now == state::handed && at == self && others.empty();
    }
  };
  struct waiting_read {
    token id;
    time_point deadline;
    query what;
  };

  /// ok, or why the request is not let in: then no copy of it is anywhere.
  [[nodiscard]] std::pair<errc, payload> judge(const client_request& r) const;
  void open_session(out& o);
  void submit(out& o);
  void leave(write& w, time_point now);
  void send(std::vector<command>&& commands, const std::vector<node_id>& avoid, out& o);
  /// Everything that nobody has now.
  void send_waiting(out& o);
  void queue_again(const write& w);
  using writes = std::map<std::uint64_t, write>;
  [[nodiscard]] writes::iterator find(const command_id& id);
  /// It is answered. \returns the position behind it
  writes::iterator settle(writes::iterator found, std::optional<node_id> by, time_point now);
  /// Who has it has had time enough.
  void give_up(write& w, time_point now);
  /// It is long and on its way to who has it, or has just come there and something long comes back: how that orders it.
  [[nodiscard]] bool on_its_way(write& w, time_point now) const;
  void tell_balancer(bool late, out& o);
  void expire(out& o);
  void expire_reads(out& o, client_replies& replies);
  void arm(out& o);
  void reply(client_replies& replies, token id, errc code, payload body);
  static void flush(client_replies& replies, node_id self, out& o);

  node_id self_;
  boot_id boot_;
  edge_limits limits_;
  std::shared_ptr<const link_account> account_;
  // The window must hold everything between the oldest unanswered command and the newest.
  std::uint64_t span_max_;

  session_id session_;  ///< 0: none
  std::uint64_t openings_ = 0;
  std::uint64_t next_number_ = 0;

  std::deque<write> queue_;  ///< not submitted yet, in order
  writes submitted_;         ///< by sequence in session_; not all of them have been handed over
  std::optional<payload> quarantine_;  ///< why this node serves nobody
  bool direct_ = true;       ///< all go to this node's replica; see route_mode
  feedback news_;            ///< for the balancer
  admission may_;            ///< what membership last said
  std::map<token, std::vector<command_id>> withdrawing_;
  std::uint64_t questions_ = 0;
  std::map<token, waiting_read> reads_;  ///< by our own token
  std::uint64_t read_count_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t bytes_ = 0;
  bool armed_ = false;
};

}  // namespace quorate
