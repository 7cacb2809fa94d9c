// Votes on proposals for slots.
#pragma once

#include "actors/journal.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "protocols/paxos/ports.hpp"

#include <map>
#include <optional>

namespace quorate::paxos {

/// Votes on proposals for slots.
/// Invariant: in each slot, no promise or vote is ever given below a ballot that was promised or voted for
/// there before, across restarts; at or below the floor nothing is given at all. Durability: a promise, a
/// vote or the floor is saved before anybody hears of it. Source: L. Lamport, "Paxos Made Simple" (2001),
/// section 2.2, phases 1(b) and 2(b), one instance per slot.
class acceptor {
public:
  using out = outbox<with_payload<Promise>, Nack, with_payload<Accepted>, Forgotten, BarrierReply, InUse>;
  using handles = messages<Prepare, with_payload<Accept>, Ask, BarrierQuery, forget>;
  static constexpr port place = port::acceptor;

  static constexpr std::size_t recent_bytes_max = 64 * 1024 * 1024;  ///< bytes of batches kept in memory
  static constexpr std::size_t ask_slots_max = 64;                   ///< votes in one answer
  static constexpr std::size_t ask_bytes_max = 256 * 1024;           ///< an answer ends when it reaches this
  static constexpr std::size_t reads_max = 64;  ///< answers waiting for the disk; beyond: silence

  explicit acceptor(const protocol_context& context, std::size_t recent_bytes = recent_bytes_max);

  void recover(const journal_view& saved);
  void start(out& o);

  void on(node_id from, const Prepare& msg, out& o);
  void on(node_id from, const with_payload<Accept>& msg, out& o);
  void on(node_id from, const Ask& msg, out& o);
  void on(node_id from, const BarrierQuery& msg, out& o);
  void on(node_id from, const forget& msg, out& o);
  void on(journal_rows rows, out& o);

private:
  struct vote {
    ballot at;
    batch_id id;
    bool noop = false;
  };
  struct record {
    ballot promised;  ///< at least the vote's
    std::optional<vote> voted;
  };
  /// An answer that needs bytes from the disk.
  struct reading {
    node_id asker;
    std::optional<ballot> promised;  ///< to a Prepare with this ballot; none: to an Ask
  };

  [[nodiscard]] bool forgotten(node_id from, slot s, out& o);
  void hint(node_id from, slot s, out& o);
  void promise(node_id to, slot s, const record& r, payload body, out& o);
  [[nodiscard]] static Accepted accepted(slot s, const vote& v);
  void read_votes(slot from, slot to, reading what, out& o);
  void keep_body(slot s, payload body);
  /// The bytes of the vote in `s`; nothing where they are only on disk.
  [[nodiscard]] std::optional<payload> body_of(slot s, const vote& v) const;

  node_id self_;
  std::vector<node_id> others_;
  std::size_t recent_bytes_;

  slot floor_ = 0;  ///< everything up to here is gone
  slot highest_voted_ = 0;
  slot highest_used_ = 0;  ///< somebody prepared it
  std::map<slot, record> slots_;
  std::map<slot, payload> bodies_;  ///< of votes, the highest slots
  std::size_t body_bytes_ = 0;
  std::uint64_t reads_ = 0;
  std::map<token, reading> reading_;
};

}  // namespace quorate::paxos
