// What the members of a simulated mencius cluster have said, put together.
#pragma once

#include "protocols/mencius/interval_map.hpp"
#include "protocols/mencius/lanes.hpp"
#include "protocols/mencius/ports.hpp"
#include "protocols/quorum.hpp"
#include "tests/harness/check.hpp"

#include <map>
#include <optional>

namespace quorate::testing {

/// Calls `f` with the message in the box, where its type is one of these. \returns whether it is
template <class... Ms, class F>
bool visit(const box& message, messages<Ms...>, F f) {
  const auto one = [&]<class M>(const M* m) {
    if (m != nullptr)
      f(*m);
    return m != nullptr;
  };
  return (one(message.get<Ms>()) || ...);
}

/// What is known of one lane. Positions are places in the lane: 0, 1, 2, ….
struct mencius_lane {
  using position = std::uint64_t;
  using ranges = mencius::interval_map<bool>;

  std::map<position, batch_id> suggested;  ///< what the owner suggested first in its slot
  std::map<position, batch_id> chosen;
  ranges claimed;  ///< by the owner: its skips
  ranges noops;    ///< a majority voted for no-ops
  ranges empty;    ///< both together
};

/// A range of a lane, in positions.
struct mencius_span {
  mencius::lane which = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] bool holds(std::uint64_t position) const { return begin <= position && position < end; }
};

/// Everything that can be concluded from what was sent: what was suggested and skipped, who voted for what,
/// what a majority has chosen. What has left a role counts as durable, over all starts of a disk: that is
/// what the checks hold the members to. Only the disks that founded the cluster count.
class mencius_record {
public:
  explicit mencius_record(std::size_t members);

  /// \post `contradiction` says what is wrong with it, where it goes against what was chosen before
  void add(const place& from, const box& message);
  [[nodiscard]] const std::optional<std::string>& contradiction() const { return contradiction_; }

  [[nodiscard]] const mencius::lanes& lanes() const { return lanes_; }
  [[nodiscard]] const majority& quorum() const { return quorum_; }
  [[nodiscard]] const mencius_lane& of(mencius::lane l) const { return by_lane_[l]; }
  [[nodiscard]] mencius_span span_of(mencius::lane l, mencius::slot from, mencius::slot to) const {
    return {l, lanes_.positions_below(l, from), lanes_.positions_below(l, to)};
  }

  /// Nothing, where the slot holds no batch for sure or is not known to.
  [[nodiscard]] const batch_id* chosen(mencius::slot s) const;
  [[nodiscard]] const batch_id* suggested(mencius::slot s) const;
  /// The first slot at or above `from` and below `to` that may hold a batch; of one lane, or of all.
  [[nodiscard]] std::optional<mencius::slot> not_empty(mencius::lane l, mencius::slot from,
                                                       mencius::slot to) const;
  [[nodiscard]] std::optional<mencius::slot> not_empty(mencius::slot from, mencius::slot to) const;
  /// Above every slot that holds a batch for sure.
  [[nodiscard]] mencius::slot chosen_end() const { return chosen_end_; }
  /// Above every slot in which a batch was suggested.
  [[nodiscard]] mencius::slot suggested_end() const { return suggested_end_; }
  /// What this ballot was prepared for.
  [[nodiscard]] const mencius_span* prepared(const ballot& at) const;
  /// False for a disk that took another one's place.
  [[nodiscard]] bool founder(const place& p) const;

private:
  struct tally {
    batch_id id;
    std::uint64_t voters = 0;  ///< a bit per node
  };
  struct noop_tally {
    mencius::lane which = 0;
    mencius::interval_map<std::uint64_t> voters;
  };

  void add(const place& from, const mencius::Suggest& m);
  void add(const place& from, const mencius::SlotVote& m);
  void add(const place& from, const mencius::NoopVote& m);
  void claim(const mencius_span& skipped);
  void empty(const mencius_span& part, std::string_view why);
  void contradict(const std::string& what) {
    if (!contradiction_)
      contradiction_ = what;
  }

  mencius::lanes lanes_;
  majority quorum_;
  std::vector<mencius_lane> by_lane_;
  std::map<std::pair<mencius::slot, ballot>, tally> tallies_;
  std::map<ballot, noop_tally> noop_tallies_;
  std::map<ballot, mencius_span> prepared_;
  std::map<node_id, disk_id> founders_;
  mencius::slot chosen_end_ = 0;
  mencius::slot suggested_end_ = 0;
  std::optional<std::string> contradiction_;
};

}  // namespace quorate::testing
