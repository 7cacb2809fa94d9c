// Is there an order of all operations that explains what every client saw?
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace quorate::testing {

/// One operation of a history. `Operation` is the model's own type: what was asked and what was answered.
/// An operation without `returned` has an unknown outcome: it took effect once, at any time after `invoked`,
/// or never. Operations that were certainly refused do not belong into a history.
template <class Operation>
struct timed {
  Operation what;
  std::int64_t invoked = 0;
  std::optional<std::int64_t> returned;
};

struct linearizability_result {
  enum class verdict : std::uint8_t { linearizable, not_linearizable, gave_up } what = verdict::linearizable;
  std::uint64_t steps = 0;  ///< orders tried
  /// Where not linearizable: how many operations the longest explanation covers, and the number (place in the
  /// history) of one that no explanation gets past.
  std::size_t explained = 0;
  std::size_t stuck_at = 0;

  [[nodiscard]] explicit operator bool() const { return what == verdict::linearizable; }
};

/// A model of a sequential object:
///   struct model {
///     using operation = …;
///     using state = …;                                   // equality comparable
///     state initial() const;
///     // The state after `op` in `s`, or nothing where `op` cannot have answered what it answered in `s`.
///     // With `known` false the answer is not known and nothing about it may be checked.
///     std::optional<state> apply(const state& s, const operation& op, bool known) const;
///     std::uint64_t hash(const state& s) const;
///     // Optional, both save most of the search. `op`, with the answer that it got, changes no state
///     whatsoever: bool reads(const operation& op) const;
///     // `op` replaces the whole state, and nothing but such another may come next after it:
///     bool unseen(const operation& op) const;
///   };
template <class Model>
class linearizability_checker {
public:
  using operation = typename Model::operation;
  using state = typename Model::state;

  /// `steps_max`: give up beyond (the problem is NP-complete).
  explicit linearizability_checker(Model model, std::uint64_t steps_max = 50'000'000)
      : model_(std::move(model)), steps_max_(steps_max) {}

  /// Searches depth first for an order, never twice from the same set of operations done and state.
  /// Source: J. Wing, C. Gong, "Testing and Verifying Concurrent Objects" (1993); G. Lowe, "Testing for
  /// Linearizability" (2017), section 3 (memoization), on a doubly linked list of calls and returns.
  [[nodiscard]] linearizability_result check(std::span<const timed<operation>> history) {
    build(history);
    linearizability_result result;
    std::vector<frame> done;
    std::vector<std::uint64_t> chosen((history.size() + 63) / 64);
    std::uint64_t chosen_hash = 0;
    std::unordered_multimap<std::uint64_t, memo> seen;
    auto now = model_.initial();
    auto at = next_[head_];
    auto fresh = true;
    while (true) {
      if (definite_left_ == 0)
        return result;
      if (fresh) {
        fresh = false;
        if (const auto next = forced(history, now); next != end_) {
          ++result.steps;
          const auto id = events_[next].operation;
          auto then = *model_.apply(now, history[id].what, true);
          done.push_back({next, std::move(now), chosen_hash, true});
          now = std::move(then);
          chosen[id / 64] |= std::uint64_t{1} << (id % 64);
          chosen_hash ^= mixed(id);
          lift(next);
          at = next_[head_];
          fresh = true;
          continue;
        }
      }
      if (at != end_ && events_[at].call) {
        if (++result.steps > steps_max_) {
          result.what = linearizability_result::verdict::gave_up;
          return result;
        }
        const auto id = events_[at].operation;
        const auto& op = history[id];
        auto then = model_.apply(now, op.what, op.returned.has_value());
        if (then) {
          const auto bit = std::uint64_t{1} << (id % 64);
          chosen[id / 64] |= bit;
          const auto hash = chosen_hash ^ mixed(id);
          if (remember(seen, hash ^ model_.hash(*then), chosen, *then)) {
            done.push_back({at, std::move(now), chosen_hash, false});
            now = std::move(*then);
            chosen_hash = hash;
            lift(at);
            at = next_[head_];
            fresh = true;
            continue;
          }
          chosen[id / 64] &= ~bit;
        }
        at = next_[at];
        continue;
      }
      // A return of an operation that is not done yet (or the end): whatever comes later comes too late.
      if (done.size() >= result.explained) {
        result.explained = done.size();
        result.stuck_at = at == end_ ? 0 : events_[at].operation;
      }
      do {
        if (done.empty()) {
          result.what = linearizability_result::verdict::not_linearizable;
          return result;
        }
        auto last = std::move(done.back());
        done.pop_back();
        const auto id = events_[last.event].operation;
        chosen[id / 64] &= ~(std::uint64_t{1} << (id % 64));
        chosen_hash = last.chosen_hash;
        now = std::move(last.before);
        unlift(last.event);
        at = last.forced ? head_ : next_[last.event];
      } while (at == head_);
    }
  }

private:
  struct event {
    std::size_t operation = 0;
    bool call = false;
    std::size_t answer = 0;  ///< of a call: its return event, or 0
  };
  struct frame {
    std::size_t event;
    state before;
    std::uint64_t chosen_hash;
    bool forced;  ///< there was no other choice
  };
  struct memo {
    std::vector<std::uint64_t> chosen;
    state after;
  };

  static std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  static bool remember(std::unordered_multimap<std::uint64_t, memo>& seen, std::uint64_t hash,
                       const std::vector<std::uint64_t>& chosen, const state& after) {
    const auto [from, to] = seen.equal_range(hash);
    for (auto i = from; i != to; ++i)
      if (i->second.chosen == chosen && i->second.after == after)
        return false;
    seen.emplace(hash, memo{chosen, after});
    return true;
  }

  /// Events in order of time; at equal times calls before returns, so that touching operations count as
  /// concurrent.
  void build(std::span<const timed<operation>> history) {
    struct moment {
      std::int64_t time;
      bool call;
      std::size_t operation;
    };
    std::vector<moment> moments;
    definite_left_ = 0;
    for (std::size_t i = 0; i < history.size(); ++i) {
      moments.push_back({history[i].invoked, true, i});
      if (history[i].returned) {
        moments.push_back({*history[i].returned, false, i});
        ++definite_left_;
      }
    }
    std::stable_sort(moments.begin(), moments.end(), [](const moment& a, const moment& b) {
      return a.time != b.time ? a.time < b.time : a.call > b.call;
    });
    events_.assign(1, {});
    std::vector<std::size_t> calls(history.size());
    for (const auto& m : moments) {
      if (m.call)
        calls[m.operation] = events_.size();
      else
        events_[calls[m.operation]].answer = events_.size();
      events_.push_back({m.operation, m.call, 0});
    }
    head_ = 0;
    end_ = events_.size();
    next_.resize(events_.size());
    previous_.resize(events_.size() + 1);
    for (std::size_t i = 0; i < events_.size(); ++i) {
      next_[i] = i + 1;
      previous_[i + 1] = i;
    }
  }

  /// The call of an operation that loses nothing by coming next; `end_` where there is none. A read that has
  /// answered what `now` answers: it changes nothing. Or else a write that nobody sees: no read fits any
  /// more, so that only another write could come next, which hides it; and where it would have come instead,
  /// nobody misses it.
  [[nodiscard]] std::size_t forced(std::span<const timed<operation>> history, const state& now) const {
    if constexpr (requires(const operation& op) { model_.reads(op); })
      for (auto at = next_[head_]; at != end_ && events_[at].call; at = next_[at])
        if (const auto& op = history[events_[at].operation];
            op.returned && model_.reads(op.what) && model_.apply(now, op.what, true))
          return at;
    if constexpr (requires(const operation& op) { model_.unseen(op); })
      for (auto at = next_[head_]; at != end_ && events_[at].call; at = next_[at])
        if (const auto& op = history[events_[at].operation]; op.returned && model_.unseen(op.what))
          return at;
    return end_;
  }

  void unlink(std::size_t e) {
    next_[previous_[e]] = next_[e];
    previous_[next_[e]] = previous_[e];
  }
  void relink(std::size_t e) {
    next_[previous_[e]] = e;
    previous_[next_[e]] = e;
  }
  void lift(std::size_t call) {
    unlink(call);
    if (const auto answer = events_[call].answer; answer != 0) {
      unlink(answer);
      --definite_left_;
    }
  }
  void unlift(std::size_t call) {
    if (const auto answer = events_[call].answer; answer != 0) {
      relink(answer);
      ++definite_left_;
    }
    relink(call);
  }

  Model model_;
  std::uint64_t steps_max_;
  std::vector<event> events_;  ///< [0] is the list's head
  std::vector<std::size_t> next_;
  std::vector<std::size_t> previous_;
  std::size_t head_ = 0;
  std::size_t end_ = 0;
  std::size_t definite_left_ = 0;
};

}  // namespace quorate::testing
