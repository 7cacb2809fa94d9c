// This node's client edge: sessions, sequences, deadlines, limits.
#pragma once

#include "actors/limits.hpp"
#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/traffic.hpp"
#include "runtime/timings.hpp"

#include <deque>
#include <map>

namespace quorate {

struct edge_limits {
  std::size_t requests_max = 4'096;          ///< unanswered at once; beyond: overloaded
  std::size_t bytes_max = 64 * 1024 * 1024;  ///< of their bodies
};

/// Turns clients' requests into commands of one session and answers every request exactly once, by its
/// deadline. Invariant: an answer never lies. ok: executed here. no_quorum, overloaded: never executed, and
/// never will be. unknown_outcome: may or may not have been, and may still be. Source: DESIGN.md section 6.
class edge {
public:
  using out = outbox<submission, withdraw, queries, drop_queries, client_replies>;
  using handles = messages<client_requests, ready, outcomes, withdrawn, query_results>;
  static constexpr port place = port::edge;

  /// `session_window`: sequences that the replicas remember of a session.
  edge(node_id self, boot_id boot, edge_limits limits = {},
       std::uint64_t session_window = limits::session_window)
      : self_(self), boot_(boot), limits_(limits), span_max_(session_window / 2) {}

  void start(out& o);
  void on(node_id from, const client_requests& msg, out& o);
  void on(node_id from, const ready& msg, out& o);
  void on(node_id from, const outcomes& msg, out& o);
  void on(node_id from, const withdrawn& msg, out& o);
  void on(node_id from, const query_results& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  struct write {
    token id;  ///< the gateway's
    command what;
    time_point deadline;
    bool withdrawing = false;
  };
  struct waiting_read {
    token id;
    time_point deadline;
    query what;
  };

  void open_session(out& o);
  void submit(out& o);
  void expire(out& o);
  void expire_reads(out& o, client_replies& replies);
  void arm(out& o);
  void reply(client_replies& replies, token id, errc code, payload body);
  static void flush(client_replies& replies, node_id self, out& o);

  node_id self_;
  boot_id boot_;
  edge_limits limits_;
  // The window must hold everything between the oldest unanswered command and the newest.
  std::uint64_t span_max_;

  session_id session_;  ///< 0: none
  std::uint64_t openings_ = 0;
  std::uint64_t next_number_ = 0;

  std::deque<write> queue_;                   ///< not submitted yet, in order
  std::map<std::uint64_t, write> submitted_;  ///< by sequence in session_
  std::map<token, std::vector<command_id>> withdrawing_;
  std::uint64_t questions_ = 0;
  std::map<token, waiting_read> reads_;  ///< by our own token
  std::uint64_t read_count_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t bytes_ = 0;
  bool armed_ = false;
};

}  // namespace quorate
