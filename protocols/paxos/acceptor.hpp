// Votes on proposals for slots.
#pragma once

#include "actors/journal.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "protocols/disk_reads.hpp"
#include "protocols/paxos/ports.hpp"
#include "protocols/repeat_gate.hpp"

#include <map>
#include <optional>

namespace quorate::paxos {

/// How much an acceptor keeps in memory, and tells at a time.
struct acceptor_limits {
  std::size_t recent_bytes_max = 64 * 1024 * 1024;  ///< bytes of batches kept in memory
  std::size_t ask_bytes_max = 256 * 1024;           ///< an answer to Ask ends when it reaches this
  std::size_t reads_max = 64;                       ///< of the disk at a time

  [[nodiscard]] static acceptor_limits of(const role_limits& limits) {
    const acceptor_limits own;
    return {limits.of("acceptor.recent_bytes_max", own.recent_bytes_max),
            limits.of("acceptor.ask_bytes_max", own.ask_bytes_max),
            limits.of("acceptor.reads_max", own.reads_max)};
  }
};

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

  static constexpr std::size_t ask_slots_max = 64;  ///< votes in one answer

  explicit acceptor(const protocol_context& context);

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
    friend bool operator==(const reading&, const reading&) = default;
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
  acceptor_limits limits_;
  std::shared_ptr<const link_account> account_;
  repeat_gate answers_;  ///< with bytes

  slot floor_ = 0;  ///< everything up to here is gone
  slot highest_voted_ = 0;
  slot highest_used_ = 0;  ///< somebody prepared it
  std::map<slot, record> slots_;
  std::map<slot, payload> bodies_;  ///< of votes, the highest slots
  std::size_t body_bytes_ = 0;
  disk_reads<reading> reads_;
};

}  // namespace quorate::paxos
