// Learns what is settled, and delivers it in slot order.
#pragma once

#include "actors/journal.hpp"
#include "actors/traffic.hpp"
#include "protocols/barriers.hpp"
#include "protocols/contract.hpp"
#include "protocols/lag.hpp"
#include "protocols/mencius/lane_watch.hpp"
#include "protocols/mencius/ledger.hpp"
#include "protocols/mencius/options.hpp"
#include "protocols/mencius/own_lane.hpp"
#include "protocols/mencius/slow_lanes.hpp"
#include "protocols/mencius/tallies.hpp"
#include "protocols/repeat_gate.hpp"

#include <map>
#include <optional>

namespace quorate::mencius {

/// How much a learner keeps for slots that are not chosen, and how much it answers at a time.
struct learner_limits {
  std::size_t bodies_bytes_max = 64 * 1024 * 1024;  ///< kept for slots that are not chosen
  std::size_t answer_batches_max = 64;              ///< in one answer to Ask
  std::size_t answer_bytes_max = 1024 * 1024;
  std::size_t answer_ranges_max = 64;

  [[nodiscard]] static learner_limits of(const role_limits& limits) {
    const learner_limits own;
    return {limits.of("learner.bodies_bytes_max", own.bodies_bytes_max),
            limits.of("learner.answer_batches_max", own.answer_batches_max),
            limits.of("learner.answer_bytes_max", own.answer_bytes_max),
            limits.of("learner.answer_ranges_max", own.answer_ranges_max)};
  }
};

/// Learns what is settled, and delivers it in slot order. A batch with a majority of votes at one ballot is
/// chosen; a slot is also settled by its owner's word that it skips it, and by whoever knows. What is in use
/// and not settled is first asked about, then revoked by the proposer beside us. Invariant: a slot is
/// delivered when it is chosen and every lane is settled below it; slots are delivered in order, no-ops
/// skipped; a fast-forward sets where to go on, which may be further back: what was delivered beyond it under
/// the older generation is void and comes again. Durability: none; a restart begins behind what the replica
/// has executed and learns the rest again. Source: Mao, Junqueira, Marzullo, "Mencius" (OSDI 2008),
/// sections 4.1 to 4.4. Deviations: votes go to all learners, which saves a link delay; claims are passed on
/// by everybody; reads wait for a barrier.
class learner {
public:
  using out = outbox<Position, Ask, Facts, with_payload<Chosen>, Recall, Forgotten, BarrierQuery, Slow, InUse,
                     Decided, Voided, Advanced, Revoke, Moved, delivered, reached, fell_behind>;
  using handles = messages<Votes, with_payload<Body>, Position, Ask, Facts, with_payload<Chosen>, Forgotten,
                           BarrierReply, Began, Tell, Refused, fast_forward, barrier>;
  static constexpr port place = port::learner;

  /// \pre the context's options are valid. Only tests pass a quorum or other blocks.
  explicit learner(const protocol_context& context);
  learner(const protocol_context& context, majority quorum);
  learner(const protocol_context& context, majority quorum, lane_blocks blocks);

  void start(out& o);

  void on(node_id from, const Votes& msg, out& o);
  void on(node_id from, const with_payload<Body>& msg, out& o);
  void on(node_id from, const Position& msg, out& o);
  void on(node_id from, const Ask& msg, out& o);
  void on(node_id from, const Facts& msg, out& o);
  void on(node_id from, const with_payload<Chosen>& msg, out& o);
  void on(node_id from, const Forgotten& msg, out& o);
  void on(node_id from, const BarrierReply& msg, out& o);
  void on(node_id from, const Began& msg, out& o);
  void on(node_id from, const Tell& msg, out& o);
  void on(node_id from, const Refused& msg, out& o);
  void on(node_id from, const fast_forward& msg, out& o);
  void on(node_id from, const barrier& msg, out& o);
  void on(timer_tag tag, out& o);

  /// The lowest slot that is not delivered.
  [[nodiscard]] slot next() const { return ledger_.next(); }

private:
  struct heard_body {
    batch_id id;
    payload bytes;
    time_point at{};  ///< when they came
  };

  void hear(slot high, out& o);
  /// Something came from this member.
  void heard(node_id from, out& o);
  /// Somebody shows that the lane's owner goes on.
  void moved(lane l, slot upto, out& o);
  void count(node_id voter, const SlotVote& vote, out& o);
  void count(node_id voter, const NoopVote& vote, out& o);
  void choose(slot s, const batch_id& id, out& o);
  void noop(lane l, slot from, slot to, out& o);
  void noop_everywhere(slot from, slot to, out& o);
  void learn(const Claim& claim, out& o);
  void supply(slot s, const batch_id& id, const payload& body, out& o);
  void deliver(out& o);
  void note_waiting(out& o);
  void finish_barriers(out& o);
  void query(std::uint64_t number, const std::vector<node_id>& whom, out& o);
  void ask(out& o);
  [[nodiscard]] node_id whom_to_ask(time_point now);
  void ask_for_bodies(out& o);
  void revoke(out& o);
  /// The owner's own long message is coming in just now, and may well be what is missed here; or it has come,
  /// and is still on its way to a majority.
  [[nodiscard]] bool on_its_way(slot s, time_point now) const;
  /// Asks everybody, to hear whether a majority is there.
  void listen(out& o);
  [[nodiscard]] slot needed(lane l, time_point now) const;
  [[nodiscard]] slot revoke_end() const;
  [[nodiscard]] bool held_up() const { return ledger_.next() < high_ || own_wanted_ > ledger_.front(own_); }
  void tell_position(out& o);
  [[nodiscard]] Position position() const;
  [[nodiscard]] bool behind() const { return lag_.floor() > ledger_.next(); }
  void check_behind(out& o);
  void news(out& o);
  void arm(out& o);
  void set_position_timer(duration after, out& o);
  /// Where a timer comes late, this member stood still.
  void notice_absence(time_point now);

  node_id self_;
  boot_id boot_;
  lanes lanes_;
  lane own_;
  std::vector<node_id> others_;
  options options_;
  lane_blocks blocks_;
  learner_limits limits_;
  majority quorum_;
  std::shared_ptr<const link_account> account_;
  repeat_gate answers_;  ///< with bytes

  ledger ledger_;
  tallies tallies_;
  std::map<slot, heard_body> bodies_;  ///< of slots that are not chosen yet
  std::size_t body_bytes_ = 0;
  struct long_batches {
    slot end = 0;        ///< above every slot whose long batch has come here
    slot before = 0;     ///< the same before the latest
    time_point until{};  ///< the latest may be on its way to others
  };
  std::vector<long_batches> long_batches_;  ///< by lane
  std::vector<Claim> claims_;  ///< by lane, the latest of each owner, as a whole
  slot high_ = 0;              ///< above every slot with a batch that was heard of
  slot own_wanted_ = 0;  ///< the own lane must be settled up to here, since an earlier boot may have used it
  std::uint64_t generation_ = 0;

  lane_watch watch_;
  time_point listen_at_{};  ///< a majority is to be heard, or nothing can be revoked
  duration listen_every_{};
  open_barriers barriers_;
  std::uint64_t turns_ = 0;  ///< of those who are asked
  time_point held_since_{};
  time_point ask_at_{};
  duration ask_every_{};

  std::vector<time_point> moved_told_;  ///< by lane
  slow_lanes slow_;

  lag lag_;
  time_point news_at_{};
  bool armed_ = false;
  time_point tick_due_{};
  time_point position_due_{};
};

}  // namespace quorate::mencius
