// Gets this node's commands chosen.
#pragma once

#include "actors/journal.hpp"
#include "actors/limits.hpp"
#include "actors/traffic.hpp"
#include "protocols/contract.hpp"
#include "protocols/paxos/options.hpp"
#include "protocols/paxos/ports.hpp"
#include "protocols/quorum.hpp"
#include "protocols/repeat_gate.hpp"

#include <deque>
#include <map>
#include <optional>

namespace quorate::paxos {

/// Gets this node's commands chosen, in any free slot, and finishes slots that hold up its learner.
/// Phase 1 carries no commands: a batch is formed when a majority has promised. Until then a slot can be left
/// to another proposer at no cost, and a command can be taken back. Once an Accept was sent for a batch, it
/// stays with its slot until the slot is decided. Invariant: no ballot is used twice, across restarts, and
/// with one ballot at most one value is proposed in a slot: the one voted for at the highest ballot among a
/// majority's promises, if there is one. Durability: the ceiling of its rounds is saved before a round below
/// it is used. Source: L. Lamport, "Paxos Made Simple" (2001), sections 2.2 to 2.4, without a distinguished
/// proposer.
class proposer {
public:
  using out = outbox<Prepare, with_payload<Accept>, not_ordered>;
  using handles =
      messages<propose, take_back, with_payload<Promise>, Nack, Decided, Advanced, Takeover, InUse>;
  static constexpr port place = port::proposer;

  static constexpr std::uint64_t rounds_reserved = 10'000;  ///< by one save of the ceiling
  static constexpr duration tick = std::chrono::milliseconds{10};
  static constexpr duration silence_max = std::chrono::milliseconds{320};  ///< longest interval of repeats
  static constexpr duration retry_after =
      std::chrono::milliseconds{20};  ///< after a nack; grows, with jitter
  static constexpr duration retry_max = std::chrono::seconds{1};

  /// \pre the context's options are valid. Only tests pass a quorum.
  explicit proposer(const protocol_context& context);
  proposer(const protocol_context& context, majority quorum);

  void recover(const journal_view& saved);
  void start(out& o);

  void on(node_id from, const propose& msg, out& o);
  void on(node_id from, const take_back& msg, out& o);
  void on(node_id from, const with_payload<Promise>& msg, out& o);
  void on(node_id from, const Nack& msg, out& o);
  void on(node_id from, const Decided& msg, out& o);
  void on(node_id from, const Advanced& msg, out& o);
  void on(node_id from, const Takeover& msg, out& o);
  void on(node_id from, const InUse& msg, out& o);
  void on(timer_tag tag, out& o);

private:
  struct queued {
    command what;
    bool in_doubt = false;  ///< it may have been ordered already: cannot be taken back
  };
  enum class phase : std::uint8_t { preparing, accepting };
  struct found_vote {
    ballot at;
    value what;
  };
  /// Work on one slot.
  struct attempt {
    ballot at;
    phase now = phase::preparing;
    bool takeover = false;  ///< holds up others: is finished whatever is in the way
    vote_count promises;
    std::optional<found_vote> best;  ///< highest vote among the promises
    value proposed;                  ///< in phase accepting
    std::optional<value> own;        ///< formed from our queue: an Accept was sent for it
    std::vector<queued> commands;    ///< those in `own`
    duration silence{};              ///< to wait before the next repeat
    time_point repeat_at{};
    repeat_gate gate;                    ///< in phase accepting
    std::optional<time_point> retry_at;  ///< a higher ballot is in the way: when to try with a higher one
    std::uint32_t retries = 0;

    /// Is finished even against nacks; any other is left to who is in the way.
    [[nodiscard]] bool stays() const { return takeover || own.has_value(); }
  };

  void prepare(slot s, attempt& a, out& o);
  void propose_value(slot s, attempt& a, out& o);
  void send_prepare(slot s, const attempt& a, out& o);
  void send_accept(slot s, const attempt& a, const std::vector<node_id>& to, out& o);
  void fill_window(out& o);
  [[nodiscard]] value form_batch(attempt& a);
  void put_back(attempt& a, bool in_doubt);
  [[nodiscard]] ballot next_ballot(out& o);
  void heard_of(slot s);
  void arm(out& o);

  node_id self_;
  boot_id boot_;
  std::vector<node_id> members_;
  majority quorum_;
  options options_;
  std::shared_ptr<const link_account> account_;

  std::deque<queued> queue_;
  std::size_t queue_bytes_ = 0;
  std::map<slot, attempt> attempts_;
  slot next_free_;  ///< nobody is known to be at this slot, or above
  std::uint64_t next_round_ = 1;
  std::uint64_t ceiling_ = 1;  ///< rounds below it are ours: saved
  std::uint64_t batches_ = 0;
  bool armed_ = false;
};

}  // namespace quorate::paxos
