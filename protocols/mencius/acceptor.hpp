// Votes on suggestions and on revocations.
#pragma once

#include "actors/journal.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "protocols/disk_reads.hpp"
#include "protocols/mencius/ballots.hpp"
#include "protocols/mencius/ports.hpp"
#include "protocols/repeat_gate.hpp"

#include <deque>
#include <map>
#include <optional>

namespace quorate::mencius {

/// How much an acceptor keeps in memory, and tells at a time.
struct acceptor_limits {
  std::size_t recent_bytes_max = 64 * 1024 * 1024;  ///< bytes of batches kept in memory
  std::size_t bodies_max = 64;                      ///< votes, or batches, in one answer
  std::size_t bodies_bytes_max = 1024 * 1024;       ///< an answer ends when it reaches this
  std::size_t reads_max = 64;                       ///< of the disk at a time

  [[nodiscard]] static acceptor_limits of(const role_limits& limits) {
    const acceptor_limits own;
    return {limits.of("acceptor.recent_bytes_max", own.recent_bytes_max),
            limits.of("acceptor.bodies_max", own.bodies_max),
            limits.of("acceptor.bodies_bytes_max", own.bodies_bytes_max),
            limits.of("acceptor.reads_max", own.reads_max)};
  }
};

/// Votes on the owners' suggestions at ballot 0, and on revocations above it.
/// Invariant: in each slot, no promise or vote is ever given below a ballot that was promised or voted for
/// there before, across restarts; below the floor nothing is given at all. Durability: a promise, a vote or
/// the floor is saved before anybody hears of it; votes leave together, once the disk has said so, with the
/// newest claim of the owner beside us. Source: Mao, Junqueira, Marzullo, "Mencius" (OSDI 2008), sections 4.1
/// and 4.3; L. Lamport, "Paxos Made Simple" (2001), section 2.2, phases 1(b) and 2(b). Deviation: a promise
/// covers a range of a lane, and so does a vote for no-ops; each is taken or refused whole.
class acceptor {
public:
  using out = outbox<Votes, Promise, with_payload<Found>, Nack, with_payload<Body>, Forgotten, BarrierReply,
                     InUse, Promised, Saved, Tell>;
  using handles = messages<with_payload<Suggest>, Prepare, AcceptNoops, with_payload<Accept>, Recall,
                           BarrierQuery, Saved, OwnClaim, Moved, forget>;
  static constexpr port place = port::acceptor;

  /// Whoever orders commands, or reads, is told every vote at once for so long: its own come behind.
  static constexpr duration eager_for = std::chrono::milliseconds{10};

  explicit acceptor(const protocol_context& context);

  void recover(const journal_view& saved);
  void start(out& o);

  void on(node_id from, const with_payload<Suggest>& msg, out& o);
  void on(node_id from, const Prepare& msg, out& o);
  void on(node_id from, const AcceptNoops& msg, out& o);
  void on(node_id from, const with_payload<Accept>& msg, out& o);
  void on(node_id from, const Recall& msg, out& o);
  void on(node_id from, const BarrierQuery& msg, out& o);
  void on(node_id from, const Saved& msg, out& o);
  void on(node_id from, const OwnClaim& msg, out& o);
  void on(node_id from, const Moved& msg, out& o);
  void on(node_id from, const forget& msg, out& o);
  void on(journal_rows rows, out& o);
  void on(timer_tag tag, out& o);

private:
  /// Where bytes that had to be read from the disk are to go.
  struct reading {
    node_id asker;
    lane which = 0;
    std::optional<ballot> promised;  ///< behind the promise for this ballot; none: to a Recall
    slot to = 0;                     ///< the batches below are asked for
    friend bool operator==(const reading&, const reading&) = default;
  };
  struct lane_votes {
    interval_map<ballot> promises;  ///< by position in the lane, as all ranges here
    interval_map<ballot> noops;  ///< votes for no-ops; a vote for a batch counts where its ballot is higher
  };

  [[nodiscard]] bool forgotten(node_id from, slot s, out& o);
  [[nodiscard]] bool usable(const span_of_lane& range) const;
  void hear(node_id from, slot high, out& o);
  /// What every message about a range above ballot 0 goes through. False: there is nothing to say to it.
  [[nodiscard]] bool takes(node_id from, const span_of_lane& range, const ballot& b, slot high, out& o);
  /// Whether who would revoke this is to hear first how the lane has moved.
  [[nodiscard]] bool moves(const span_of_lane& range, node_id asker, time_point now) const;
  /// One slot's revocation is refused for one patience at most: where several refuse for one another's sake, and
  /// what they know does not settle it, nobody else would.
  [[nodiscard]] bool may_object(const span_of_lane& range, time_point now);
  /// Whether what is known here would settle the first slot of the range, or help to.
  [[nodiscard]] bool knows_first_of(const span_of_lane& range) const;
  void moved(lane l, slot upto, time_point now);
  void object(node_id to, const span_of_lane& where, const ballot& asked, out& o);
  void refuse(node_id to, const span_of_lane& where, const std::optional<ballot>& asked, out& o);
  void vote(slot s, const slot_vote& v, const payload& body, out& o);
  void tell_body(slot s, const slot_vote& v, const payload& body, out& o);
  void save_ranges(char kind, lane l, const interval_map<ballot>& ranges, interval_map<ballot>::span touched,
                   out& o);
  void erase_ranges(char kind, lane l, interval_map<ballot>& ranges, out& o);
  void tell_soon(out& o);
  using vote_told = std::variant<SlotVote, NoopVote>;
  /// \pre its save is under way
  void note_vote(vote_told v, out& o);
  void tell(out& o);
  void tell_due(out& o);
  void tell_claim(out& o);
  [[nodiscard]] Votes votes_message() const;
  /// The bytes of the batches voted for in [from, what.to) of a lane, the lowest slots first.
  void send_bodies(slot from, const reading& what, out& o);
  void read_bodies(slot from, const reading& what, out& o);
  /// No higher ballot has been promised over what is left of it.
  [[nodiscard]] bool still_promised(const reading& what, slot from) const;
  void send_body(const reading& what, slot s, const batch_id& id, payload body, out& o);
  void keep_body(slot s, payload body);

  lanes lanes_;
  node_id self_;
  lane own_;
  acceptor_limits limits_;
  std::shared_ptr<const link_account> account_;
  repeat_gate answers_;  ///< with bytes

  slot floor_ = 0;  ///< everything below is gone
  slot voted_ = 0;  ///< above every slot with a batch that was voted for
  slot high_ = 0;   ///< above every slot with a batch that was heard of
  std::map<slot, slot_vote> votes_;
  std::vector<lane_votes> by_lane_;
  std::map<slot, payload> bodies_;  ///< of votes, the highest slots
  std::size_t body_bytes_ = 0;

  struct movement {
    slot upto = 0;   ///< nothing is known of the lane from here on
    slot front = 0;  ///< the learner beside us knows it to be settled up to here
    time_point until{};
    std::optional<slot> refused;  ///< the first slot of the revocation that was refused last
    time_point refused_since{};
  };
  std::vector<movement> moved_;  ///< by lane
  duration objects_for_;         ///< after the lane has moved

  std::optional<Claim> claim_;
  /// A member, to which votes are told. Counts are of votes, from the first one of this boot on.
  struct listener {
    std::uint64_t told = 0;
    std::uint64_t urgent = 0;  ///< above the last one that must not wait
    time_point eager_until{};  ///< until then none may
    bool due = false;
  };
  std::vector<listener> listeners_;  ///< by lane
  std::deque<vote_told> log_;        ///< what somebody has not been told, in the order of the saves
  std::uint64_t log_begin_ = 0;
  std::uint64_t durable_ = 0;
  bool waiting_ = false;  ///< for our own Saved
  time_point waiting_since_{};
  time_point disk_slow_until_{};
  bool claim_armed_ = false;
  bool armed_ = false;

  disk_reads<reading> reads_;
};

}  // namespace quorate::mencius
