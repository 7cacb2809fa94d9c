// What a client that is no node knows and decides, without actors, threads and clocks.
#pragma once

#include "actors/command.hpp"
#include "actors/prng.hpp"

#include <deque>
#include <map>
#include <vector>

namespace quorate {

struct client_limits {
  std::size_t window = 8'192;        ///< commands on their way at once, at most limits::session_window / 2
  std::size_t waiting_max = 65'536;  ///< behind the window; beyond: overloaded
  duration deadline = std::chrono::seconds{5};  ///< of each command, from its submission on
  duration retry_after =
      std::chrono::milliseconds{150};  ///< unanswered: asked of another node; doubles, to 2 s
};

/// Opens a session through the log, gives each command an id in it, hands the commands to nodes and asks
/// another node, under the same id, where no outcome comes. Invariant: every command gets exactly one result,
/// by its deadline, and the result never lies. ok, and every code of the state machine: executed once.
/// no_quorum, overloaded, not_founded, …: it was not, and never will be. unknown_outcome: it may have been,
/// and may still be. Source: D. Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.3.
class client_core {
public:
  struct handed {
    std::size_t node;
    std::vector<command> list;
  };
  struct result {
    token id;
    errc code = errc::ok;
    payload body;  ///< the state machine's answer; empty where it was not asked
  };
  /// To be carried out in any order.
  struct effects {
    std::vector<handed> commands;
    std::vector<result> results;
  };

  /// Nodes are numbered from 0. `seed` must be another one for every client there ever is.
  client_core(std::size_t nodes, client_limits limits, std::uint64_t seed);

  void submit(token id, std::string key, payload body, time_point now);
  void connected(std::size_t node, time_point now);
  void lost(std::size_t node, time_point now);
  void on(std::size_t node, const std::vector<outcome>& list, time_point now);
  /// Every 10 ms or so.
  void tick(time_point now);
  /// No more nodes are asked: whatever has no result gets one.
  void close();

  /// What is to be done, once.
  [[nodiscard]] effects take();
  [[nodiscard]] std::size_t unanswered() const { return queue_.size() + open_; }

private:
  static constexpr std::size_t nobody = SIZE_MAX;

  struct entry {
    token id;
    command what;
    time_point deadline{};
    std::size_t node = nobody;       ///< that was asked last
    std::uint32_t attempts = 0;      ///< how often it was handed in
    std::uint32_t possible = 0;      ///< attempts of which no node has said that they will never be ordered
    errc refusal = errc::no_quorum;  ///< the last such word
    bool answered = false;
  };
  struct peer {
    bool connected = false;
    bool silent = false;  ///< has let commands wait too long, and said nothing since
    time_point heard{};
  };
  /// Commands that were handed in together.
  struct attempt {
    time_point sent{};
    std::size_t node = nobody;
    std::vector<std::pair<sequence, std::uint32_t>> commands;  ///< with their attempts then
  };

  void open_session(time_point now);
  void renew_session(time_point now);
  void fill(time_point now);
  void hand_in(std::size_t node, std::vector<entry*> entries, time_point now);
  void retry(const std::vector<sequence>& numbers, std::size_t but, time_point now);
  void retry_overdue(time_point now);
  void expire(time_point now);
  void settle(entry& e, errc code, payload body);
  [[nodiscard]] entry* find(sequence number);
  /// The next node to ask, rather one that answers and rather not `but`; nobody where none is connected.
  [[nodiscard]] std::size_t choose(std::size_t but = nobody);
  [[nodiscard]] duration patience(std::uint32_t attempts) const;

  client_limits limits_;
  prng prng_;
  std::vector<peer> nodes_;
  std::size_t current_ = 0;

  session_id session_;     ///< 0: none yet
  std::uint64_t opening_;  ///< nonce
  time_point opening_at_{};
  std::size_t opening_node_ = nobody;

  std::deque<entry> queue_;   ///< not handed in yet
  std::deque<entry> window_;  ///< handed in, by sequence from first_ on
  std::uint64_t first_ = 0;
  std::size_t open_ = 0;  ///< unanswered ones in the window
  std::multimap<time_point, attempt> overdue_at_;
  effects effects_;
};

}  // namespace quorate
