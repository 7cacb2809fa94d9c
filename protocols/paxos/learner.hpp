// Learns what is chosen, and delivers it in slot order.
#pragma once

#include "actors/journal.hpp"
#include "actors/traffic.hpp"
#include "protocols/barriers.hpp"
#include "protocols/contract.hpp"
#include "protocols/lag.hpp"
#include "protocols/paxos/options.hpp"
#include "protocols/paxos/ports.hpp"
#include "protocols/quorum.hpp"

#include <map>
#include <optional>

namespace quorate::paxos {

/// How much a learner keeps for slots that are not delivered, and how far it listens.
struct learner_limits {
  slot window_max = 8'192;                          ///< slots above the next one that are listened to
  slot behind_max = 1'024;                          ///< further behind another member, sync has to help
  std::size_t bodies_bytes_max = 64 * 1024 * 1024;  ///< kept for slots that are not delivered
  std::size_t ballots_max = 16;                     ///< counted in one slot; the lowest go first

  [[nodiscard]] static learner_limits of(const role_limits& limits) {
    const learner_limits own;
    return {limits.of("learner.window_max", own.window_max), limits.of("learner.behind_max", own.behind_max),
            limits.of("learner.bodies_bytes_max", own.bodies_bytes_max),
            limits.of("learner.ballots_max", own.ballots_max)};
  }
};

/// Learns what is chosen, and delivers it in slot order. What a majority voted for at one ballot is chosen.
/// A slot that is held up although it, or a higher one, is in use is first asked about, then taken over by
/// the proposer beside us. At the start it asks how far the others are, as for a barrier. Invariant: slots
/// are delivered in order, without gaps, no-ops skipped; a fast-forward sets where to go on, which may be
/// further back: what was delivered beyond it under the older generation is void and comes again. Durability:
/// none; a restart begins behind what the replica has executed and learns the rest again. Source: L. Lamport,
/// "Paxos Made Simple" (2001), section 2.3.
class learner {
public:
  using out =
      outbox<Ask, BarrierQuery, Position, Decided, Advanced, Takeover, InUse, delivered, reached, fell_behind>;
  using handles = messages<with_payload<Accepted>, Forgotten, BarrierReply, Position, fast_forward, barrier>;
  static constexpr port place = port::learner;

  static constexpr slot ask_slots_max = 64;  ///< asked about, or taken over, at a time

  /// \pre the context's options are valid. Only tests pass a quorum.
  explicit learner(const protocol_context& context);
  learner(const protocol_context& context, majority quorum);

  void start(out& o);

  void on(node_id from, const with_payload<Accepted>& msg, out& o);
  void on(node_id from, const Forgotten& msg, out& o);
  void on(node_id from, const BarrierReply& msg, out& o);
  void on(node_id from, const Position& msg, out& o);
  void on(node_id from, const fast_forward& msg, out& o);
  void on(node_id from, const barrier& msg, out& o);
  void on(timer_tag tag, out& o);

  /// The lowest slot that is not delivered.
  [[nodiscard]] slot next() const { return next_; }

private:
  /// The votes for one ballot of a slot.
  struct tally {
    batch_id id;
    bool noop = false;
    vote_count voters;
  };
  struct progress {
    std::map<ballot, tally> tallies;  ///< until it is chosen
    std::map<batch_id, payload> bodies;
    std::optional<ballot> chosen_at;
    tally chosen;
    time_point heard{};  ///< the last news of it
  };
  struct peer {
    slot next = 0;      ///< as it has told
    time_point told{};  ///< that
    time_point heard{};
  };

  void used(slot s, out& o);
  void choose(slot s, progress& p, const ballot& at, out& o);
  void deliver(out& o);
  void finish_barriers(out& o);
  void query(std::uint64_t number, const std::vector<node_id>& whom, out& o);
  /// A long message of another member is coming in just now, or one of ours has not come to a majority: that
  /// may well be what is missed here.
  [[nodiscard]] bool on_its_way() const;
  /// The same, and not for longer than what is on its way can take: others' messages say nothing of this slot.
  [[nodiscard]] bool worth_waiting(time_point now) const;
  /// The last slot worth asking about, or taking over: what comes of those behind would not be listened to,
  /// and whoever takes over what it does not listen to does so again and again.
  [[nodiscard]] slot last_in_reach() const;
  void ask(out& o);
  /// One that has voted, heard of lately where there is such a one: others may be dead, or not hear us.
  [[nodiscard]] node_id holder(const progress& p, out& o) const;
  void take_over(out& o);
  void keep_body(progress& p, const batch_id& id, const payload& body, out& o);
  void drop(std::map<slot, progress>::iterator first, std::map<slot, progress>::iterator last);
  void drop_bodies(progress& p);
  [[nodiscard]] bool held_up() const { return next_ <= highest_; }
  [[nodiscard]] bool behind(time_point now) const;
  void check_behind(out& o);
  void restart_patience(out& o);
  [[nodiscard]] Position position() const;
  void tell_position(out& o);
  void arm(out& o);

  node_id self_;
  boot_id boot_;
  std::vector<node_id> members_;
  std::vector<node_id> others_;
  majority quorum_;
  learner_limits limits_;
  options options_;
  std::shared_ptr<const link_account> account_;

  slot next_;         ///< the lowest that is not delivered
  slot highest_ = 0;  ///< the highest that is known to be in use
  std::uint64_t generation_ = 0;
  std::map<slot, progress> slots_;  ///< from next_
  std::size_t body_bytes_ = 0;

  // Patience with the slot that holds up the others.
  time_point held_since_{};
  time_point head_since_{};  ///< when next() began to be in the way
  duration ask_every_{};
  time_point ask_at_{};
  duration takeover_after_{};

  open_barriers barriers_;

  lag lag_;
  std::map<node_id, peer> peers_;
  time_point news_at_{};
  bool armed_ = false;
};

}  // namespace quorate::paxos
