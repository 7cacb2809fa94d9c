// Suggests this node's commands in its own slots, and revokes slots of others.
#pragma once

#include "actors/journal.hpp"
#include "actors/limits.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "protocols/mencius/command_queue.hpp"
#include "protocols/mencius/options.hpp"
#include "protocols/mencius/own_lane.hpp"
#include "protocols/mencius/revocation.hpp"
#include "protocols/quorum.hpp"
#include "protocols/repeat_gate.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

namespace quorate::mencius {

/// Suggests this node's commands in its own slots, without asking anybody first, and settles ranges of lanes
/// that hold up its learner. Invariant: at ballot 0 a slot of the own lane has at most one batch ever, over
/// all boots; no ballot is prepared twice; above ballot 0 only what a majority's promises allow is proposed:
/// in each slot the vote with the highest ballot, and where there is none a no-op. Durability: the ceilings
/// of own slots and of rounds are saved before anything below them is used. Source: Mao, Junqueira, Marzullo,
/// "Mencius" (OSDI 2008), sections 4.1 to 4.4. Deviations: an owner may yield far ahead (the paper skips up
/// to what others use); a range is revoked under one ballot; a revoked batch is proposed again only when its
/// slot is known to be decided otherwise; a member that is slower than the others hands its commands to one
/// of them.
class proposer {
public:
  using out = outbox<with_payload<Suggest>, Prepare, AcceptNoops, with_payload<Accept>, not_ordered, Reserved,
                     OwnClaim, Began, with_payload<HandOff>, HandedOver, Refused>;
  using handles =
      messages<propose, take_back, Promise, with_payload<Found>, Nack, Slow, with_payload<HandOff>,
               HandedOver, Reserved, InUse, Promised, Decided, Voided, Advanced, Revoke>;
  static constexpr port place = port::proposer;

  static constexpr std::uint64_t rounds_reserved = 10'000;  ///< by one save of the ceiling
  static constexpr duration tick = std::chrono::milliseconds{10};
  static constexpr duration silence_max = std::chrono::milliseconds{320};  ///< longest interval of repeats
  static constexpr duration slow_for =
      std::chrono::seconds{1};  ///< commands go to others; grows with complaints
  static constexpr duration slow_for_max = std::chrono::seconds{16};
  /// Unanswered for some rounds, within these bounds, what was handed off is ordered here after all.
  static constexpr int hand_rounds = 4;
  static constexpr duration hand_again_min = std::chrono::milliseconds{20};
  static constexpr duration hand_again_max = std::chrono::milliseconds{500};
  static constexpr duration complaint_lasts = std::chrono::milliseconds{600};
  static constexpr duration absence_min = std::chrono::milliseconds{15};  ///< by which a timer is late
  static constexpr std::size_t taken_max = 1'024;  ///< numbers that are remembered, of one member
  static constexpr std::size_t handed_max = 16;    ///< hand-offs on their way, from one member

  /// \pre the context's options are valid. Only tests pass a quorum or other blocks.
  explicit proposer(const protocol_context& context);
  proposer(const protocol_context& context, majority quorum);
  proposer(const protocol_context& context, majority quorum, lane_blocks blocks);

  void recover(const journal_view& saved);
  void start(out& o);

  void on(node_id from, const propose& msg, out& o);
  void on(node_id from, const take_back& msg, out& o);
  void on(node_id from, const Promise& msg, out& o);
  void on(node_id from, const with_payload<Found>& msg, out& o);
  void on(node_id from, const Nack& msg, out& o);
  void on(node_id from, const Slow& msg, out& o);
  void on(node_id from, const with_payload<HandOff>& msg, out& o);
  void on(node_id from, const HandedOver& msg, out& o);
  void on(node_id from, const Reserved& msg, out& o);
  void on(node_id from, const InUse& msg, out& o);
  void on(node_id from, const Promised& msg, out& o);
  void on(node_id from, const Decided& msg, out& o);
  void on(node_id from, const Voided& msg, out& o);
  void on(node_id from, const Advanced& msg, out& o);
  void on(node_id from, const Revoke& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  /// A batch that a slower member has handed to us.
  struct foreign {
    node_id from;
    HandedOver receipt;
    payload body;
  };
  /// A batch of ours on its way.
  struct suggestion {
    batch_id id;
    payload body;
    slot since = 0;
    std::vector<queued> commands;
    std::optional<foreign> handed;  ///< instead of own commands
    time_point begun{};
    time_point sent_at{};  ///< the last time
    duration silence{};  ///< to wait before the next repeat
    time_point repeat_at{};
    repeat_gate gate;
  };
  /// Commands that another member is to order.
  struct handed {
    std::vector<queued> commands;
    time_point until{};
  };

  void fill_window(out& o);
  void suggest(suggestion x, out& o);
  [[nodiscard]] bool slow(time_point now) const { return now < slow_until_ && faster_ != self_; }
  void send_suggestion(slot s, const suggestion& x, const std::vector<node_id>& to, out& o);
  void suggest_again(slot s, suggestion& x, out& o);
  void move_on(out& o);
  void hear(slot high, out& o);
  void yield(out& o);
  [[nodiscard]] slot distance(time_point now) const;
  void settle(std::map<slot, suggestion>::iterator which, bool in_doubt);
  /// Below this so many refuse our suggestions that none can be decided.
  [[nodiscard]] slot refused_by_enough() const;
  /// The suggestion in this slot does not come to an end: moves on where anybody refuses it.
  void give_way(slot s, out& o);
  void accept(revocation& r, out& o);
  void hand_off(out& o);
  void take_back_handed(out& o);
  [[nodiscard]] duration hand_again() const {
    return std::clamp(round_ * hand_rounds, hand_again_min, hand_again_max);
  }
  [[nodiscard]] ballot next_ballot(out& o);
  void arm(out& o);

  node_id self_;
  boot_id boot_;
  lanes lanes_;
  majority quorum_;
  options options_;
  std::shared_ptr<const link_account> account_;

  own_lane own_;
  command_queue queue_;
  std::map<slot, suggestion> open_;
  std::uint64_t batches_ = 0;
  slot high_ = 0;           ///< above every slot with a batch that was heard of
  time_point active_at_{};  ///< when there last was a command
  bool idle_ = false;       ///< has yielded, and stays out of the way

  std::map<node_id, slot> refused_upto_;  ///< by member: of the own lane
  std::map<lane, revocation> revocations_;
  std::uint64_t next_round_ = 1;
  std::uint64_t rounds_ = 1;  ///< those below are ours: saved

  time_point slow_until_{};
  duration slow_for_ = slow_for;
  node_id faster_{};
  bool proven_ = false;  ///< it has ordered what we handed to it
  node_id useless_{};    ///< has not
  std::map<node_id, time_point> complaints_;
  duration round_{};  ///< of our own batches, from suggestion to decision
  std::uint64_t hand_offs_ = 0;
  std::map<std::uint64_t, handed> handed_;
  std::deque<foreign> foreign_;  ///< wait for a slot of ours
  struct taken {
    std::uint64_t boot = 0;
    std::set<std::uint64_t> numbers;  ///< the latest
  };
  std::map<node_id, taken> taken_;  ///< hand-offs that have come, so that a repeated one is not ordered twice
  bool armed_ = false;
  time_point tick_due_{};
};

}  // namespace quorate::mencius
