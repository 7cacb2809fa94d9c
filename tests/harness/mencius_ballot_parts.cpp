// The parts of the mencius check that look at ballots: M3, M5.
#include "protocols/mencius/ballots.hpp"
#include "tests/harness/mencius_check.hpp"

#include <bit>

namespace quorate::testing {

namespace {

using mencius::lane;
using mencius::slot;

/// What one disk has said about one lane, by position.
struct said {
  mencius::interval_map<ballot> promised;  ///< the highest promise or vote
  mencius::interval_map<ballot> noops;     ///< the highest vote for a no-op
  std::map<ballot, mencius::interval_map<bool>> noops_at;
  std::map<std::pair<std::uint64_t, ballot>, batch_id> votes;

  void vote_noops(std::uint64_t begin, std::uint64_t end, const ballot& b) {
    if (begin >= end)
      return;
    noops.raise(begin, end, b);
    noops_at[b].assign(begin, end, true);
  }
};

/// In which order an acceptor was asked: for whole ranges by Prepare and AcceptNoops, for single slots by the
/// others. Votes wait for one another to be told together, and an answer to Recall may tell of later ones
/// first: what was asked for before a promise is no vote below it.
class asking_order {
public:
  void taken(const place& by, const box& message) {
    ++now_;
    if (const auto* prepare = message.get<mencius::Prepare>()) {
      prepares_.try_emplace({by.disk, from_wire(prepare->ballot())}, now_);
    } else if (const auto* noops = message.get<mencius::AcceptNoops>()) {
      noops_.try_emplace({by.disk, from_wire(noops->vote().ballot())}, now_);
    } else if (const auto* accept = message.get<with_payload<mencius::Accept>>()) {
      batches_.try_emplace({by.disk, from_wire(accept->head.ballot()), accept->head.slot()}, now_);
    } else if (const auto* suggest = message.get<with_payload<mencius::Suggest>>()) {
      batches_.try_emplace({by.disk, ballot{}, suggest->head.slot()}, now_);
    }
  }
  /// It has promised the ballot, or voted for no-ops at it: it may as well refuse one of them, and take the
  /// other.
  void promised(disk_id d, const ballot& b) { promised_.insert({d, b}); }
  void voted(disk_id d, const ballot& b) { voted_.insert({d, b}); }

  /// Whether it was asked for this vote before it had heard of ballot `higher` in that slot.
  [[nodiscard]] bool batch_before(disk_id d, const ballot& at, slot s, const ballot& higher) const {
    return batch(d, at, s) < std::min(range(d, higher), batch(d, higher, s));
  }
  /// The same for no-ops, one of them in slot `s`.
  [[nodiscard]] bool noop_before(disk_id d, const ballot& at, slot s, const ballot& higher) const {
    const auto asked = noops_.find({d, at});
    return asked != noops_.end() && asked->second < std::min(range(d, higher), batch(d, higher, s));
  }

private:
  static constexpr auto never = ~std::uint64_t{0};

  using asked_for = std::map<std::pair<disk_id, ballot>, std::uint64_t>;
  using taken_ballots = std::set<std::pair<disk_id, ballot>>;

  static std::uint64_t first(const asked_for& asked, const taken_ballots& taken, disk_id d, const ballot& b) {
    const auto known = asked.find({d, b});
    return known == asked.end() || !taken.contains({d, b}) ? never : known->second;
  }
  [[nodiscard]] std::uint64_t range(disk_id d, const ballot& b) const {
    return std::min(first(prepares_, promised_, d, b), first(noops_, voted_, d, b));
  }
  [[nodiscard]] std::uint64_t batch(disk_id d, const ballot& b, slot s) const {
    const auto known = batches_.find({d, b, s});
    return known == batches_.end() ? never : known->second;
  }

  std::uint64_t now_ = 0;
  asked_for prepares_;
  asked_for noops_;
  taken_ballots promised_;
  taken_ballots voted_;
  std::map<std::tuple<disk_id, ballot, slot>, std::uint64_t> batches_;
};

class promises : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M3 promises"; }

  void taken(const place& by, node_id, const box& message) override {
    if (by.role == port::acceptor)
      asked_.taken(by, message);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* prepare = message.get<mencius::Prepare>())
      prepared(from, from_wire(prepare->ballot()));
    else if (const auto* promise = message.get<mencius::Promise>())
      promised(from, *promise);
    else if (const auto* votes = message.get<mencius::Votes>())
      voted(from, *votes);
  }

private:
  void prepared(const place& from, const ballot& b) {
    if (b.node != from.node)
      fail(text(from) + " prepares ballot " + text(b) + " of another");
    if (!prepared_.insert(b).second)
      fail(text(from) + " prepares ballot " + text(b) + " a second time");
  }

  said& of(const place& from, lane l) { return said_[{from.disk, l}]; }
  [[nodiscard]] std::string where(lane l, std::uint64_t position) const {
    return at(record().lanes().slot_at(l, position));
  }

  void promised(const place& from, const mencius::Promise& m) {
    const auto b = from_wire(m.ballot());
    const auto* range = record().prepared(b);
    if (range == nullptr) {
      fail(text(from) + " promises " + text(b) + ", which nobody prepared");
      return;
    }
    asked_.promised(from.disk, b);
    auto& before = of(from, range->which);
    if (const auto higher = before.promised.highest(range->begin, range->end); higher && b < *higher)
      fail(text(from) + " promises " + text(b) + " after " + text(*higher) + " in lane " +
           std::to_string(range->which));
    check_told(from, *range, b, before, told_by(m, *range));
    for (const auto& v : m.slots())
      if (in(*range, v.slot()))
        before.votes.emplace(std::pair{record().lanes().position(v.slot()), from_wire(v.ballot())},
                             from_wire(v.id()));
    for (const auto& v : m.noops())
      for_each_part(v, [&](std::uint64_t begin, std::uint64_t end) {
        before.vote_noops(std::max(begin, range->begin), std::min(end, range->end), from_wire(v.ballot()));
      });
    before.promised.raise(range->begin, range->end, b);
  }

  [[nodiscard]] bool in(const mencius_span& range, slot s) const {
    return record().lanes().of(s) == range.which && range.holds(record().lanes().position(s));
  }
  template <class F>
  void for_each_part(const mencius::NoopVote& v, F f) const {
    mencius::for_each_part(record().lanes(), mencius::span_of(v), v.but(), f);
  }

  /// The highest vote that a promise tells of, where it tells of one.
  [[nodiscard]] mencius::interval_map<ballot> told_by(const mencius::Promise& m,
                                                      const mencius_span& range) const {
    mencius::interval_map<ballot> told;
    for (const auto& v : m.slots())
      if (in(range, v.slot())) {
        const auto position = record().lanes().position(v.slot());
        told.raise(position, position + 1, from_wire(v.ballot()));
      }
    for (const auto& v : m.noops())
      for_each_part(
          v, [&](std::uint64_t begin, std::uint64_t end) { told.raise(begin, end, from_wire(v.ballot())); });
    return told;
  }

  void check_told(const place& from, const mencius_span& range, const ballot& b, const said& before,
                  const mencius::interval_map<ballot>& told) {
    const auto hides = [&](std::uint64_t position, const ballot& vote) {
      fail(text(from) + ", " + where(range.which, position) + "promises " + text(b) +
           " and hides its vote at " + text(vote));
    };
    for (auto it = before.votes.lower_bound({range.begin, ballot{}});
         it != before.votes.end() && it->first.first < range.end; ++it) {
      const auto* known = told.find(it->first.first);
      if (known == nullptr || *known < it->first.second)
        hides(it->first.first, it->first.second);
    }
    for (auto it = before.noops.first_behind(range.begin); it != before.noops.end() && it->first < range.end;
         ++it) {
      const auto end = std::min(range.end, it->second.end);
      for (auto position = std::max(range.begin, it->first); position < end;) {
        const auto part = told.first_behind(position);
        if (part == told.end() || part->first > position || part->second.value < it->second.value) {
          hides(position, it->second.value);
          return;
        }
        position = part->second.end;
      }
    }
  }

  void voted(const place& from, const mencius::Votes& m) {
    const auto& lanes = record().lanes();
    for (const auto& v : m.slots())
      voted(from, of(from, lanes.of(v.slot())), lanes.of(v.slot()), lanes.position(v.slot()), v);
    for (const auto& v : m.noops()) {
      auto& before = of(from, v.lane());
      const auto b = from_wire(v.ballot());
      asked_.voted(from.disk, b);
      for_each_part(v, [&](std::uint64_t begin, std::uint64_t end) {
        voted(from, before, {v.lane(), begin, end}, b);
      });
      // The promise is of the whole range: also of those slots in which a batch was found.
      const auto range = mencius::span_of(v);
      before.promised.raise(range.first(lanes), range.last(lanes), b);
    }
  }

  void voted(const place& from, said& before, lane l, std::uint64_t position, const mencius::SlotVote& v) {
    const auto b = from_wire(v.ballot());
    const auto [known, fresh] = before.votes.emplace(std::pair{position, b}, from_wire(v.id()));
    if (!fresh) {
      if (known->second != from_wire(v.id()))
        fail(text(from) + ", " + where(l, position) + "votes for " + text(known->second) + " and " +
             text(from_wire(v.id())) + " at " + text(b));
      return;  // the same vote again, which a later promise has told of
    }
    if (const auto* higher = before.promised.find(position);
        higher != nullptr && b < *higher && !asked_.batch_before(from.disk, b, v.slot(), *higher))
      fail(text(from) + ", " + where(l, position) + "votes at " + text(b) + " after it promised " +
           text(*higher));
    if (const auto* noop = before.noops.find(position); noop != nullptr && *noop == b)
      fail(text(from) + ", " + where(l, position) + "votes for a no-op and for a batch at " + text(b));
    before.promised.raise(position, position + 1, b);
  }

  void voted(const place& from, said& before, const mencius_span& part, const ballot& b) {
    const auto& known = before.noops_at[b];
    for (auto begin = known.gap_from(part.begin); begin < part.end; begin = known.gap_from(begin)) {
      const auto next = known.first_from(begin);
      const auto end = next != known.end() ? std::min(part.end, next->first) : part.end;
      // Not the same vote again, which a later promise has told of.
      if (const auto higher = before.promised.highest(begin, end);
          higher && b < *higher &&
          !asked_.noop_before(from.disk, b, record().lanes().slot_at(part.which, begin), *higher))
        fail(text(from) + ", " + where(part.which, begin) + "votes for no-ops at " + text(b) +
             " after it promised " + text(*higher));
      begin = end;
    }
    for (auto it = before.votes.lower_bound({part.begin, ballot{}});
         it != before.votes.end() && it->first.first < part.end; ++it)
      if (it->first.second == b)
        fail(text(from) + ", " + where(part.which, it->first.first) +
             "votes for a batch and for a no-op at " + text(b));
    before.vote_noops(part.begin, part.end, b);
    before.promised.raise(part.begin, part.end, b);
  }

  asking_order asked_;
  std::set<ballot> prepared_;
  std::map<std::pair<disk_id, lane>, said> said_;
};

class found : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M5 found"; }

  void taken(const place& by, node_id from, const box& message) override {
    const auto* promise = message.get<mencius::Promise>();
    if (promise == nullptr || by.role != port::proposer)
      return;
    const auto b = from_wire(promise->ballot());
    const auto* range = record().prepared(b);
    auto& a = attempts_[b];
    // What comes after the proposals changes nothing any more.
    if (range == nullptr || b.node != by.node || a.proposed)
      return;
    a.boot = by.boot;
    a.promised |= bit_of(from);
    for (const auto& v : promise->slots()) {
      const auto position = record().lanes().position(v.slot());
      if (record().lanes().of(v.slot()) != range->which || !range->holds(position))
        continue;
      const auto at = from_wire(v.ballot());
      const auto [known, fresh] = a.batches.try_emplace(position, std::pair{at, from_wire(v.id())});
      if (!fresh && known->second.first < at)
        known->second = {at, from_wire(v.id())};
    }
    for (const auto& v : promise->noops())
      mencius::for_each_part(
          record().lanes(), mencius::span_of(v), v.but(),
          [&](std::uint64_t begin, std::uint64_t end) { a.noops.raise(begin, end, from_wire(v.ballot())); });
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* noops = message.get<mencius::AcceptNoops>())
      proposed(from, noops->vote());
    else if (const auto* accept = message.get<with_payload<mencius::Accept>>())
      proposed(from, accept->head);
    else if (const auto* votes = message.get<mencius::Votes>())
      voted(from, *votes);
  }

private:
  struct attempt {
    boot_id boot;
    std::uint64_t promised = 0;                                    ///< a bit per node
    std::map<std::uint64_t, std::pair<ballot, batch_id>> batches;  ///< the highest votes told of, by position
    mencius::interval_map<ballot> noops;
    bool proposed = false;
    mencius::interval_map<bool> proposed_noops;
    std::map<std::uint64_t, batch_id> proposed_batches;

    /// The batch that must be proposed; nothing where it is a no-op.
    [[nodiscard]] const batch_id* batch_at(std::uint64_t position) const {
      const auto best = batches.find(position);
      if (best == batches.end())
        return nullptr;
      const auto* noop = noops.find(position);
      return noop != nullptr && *noop > best->second.first ? nullptr : &best->second.second;
    }
  };

  static std::uint64_t bit_of(node_id n) { return std::uint64_t{1} << (n.value - 1); }
  [[nodiscard]] std::string where(lane l, std::uint64_t position) const {
    return at(record().lanes().slot_at(l, position));
  }

  /// The attempt at `b`, where this role may propose something in these positions; nothing where it may not.
  attempt* may_propose(const place& from, const ballot& b, const mencius_span& part) {
    const auto* range = record().prepared(b);
    auto& a = attempts_[b];
    std::string wrong;
    if (range == nullptr || range->which != part.which || part.begin < range->begin || part.end > range->end)
      wrong = "which was not prepared there";
    else if (b.node != from.node || a.boot != from.boot)
      wrong = "which is not of this start";
    else if (!record().quorum().reached(static_cast<std::size_t>(std::popcount(a.promised))))
      wrong = "which no majority has promised";
    if (wrong.empty()) {
      a.proposed = true;
      return &a;
    }
    fail(text(from) + ", " + where(part.which, part.begin) + "proposes at " + text(b) + ", " + wrong);
    return nullptr;
  }

  void proposed(const place& from, const mencius::Accept& m) {
    const auto l = record().lanes().of(m.slot());
    const auto position = record().lanes().position(m.slot());
    const auto id = from_wire(m.id());
    auto* a = may_propose(from, from_wire(m.ballot()), {l, position, position + 1});
    if (a == nullptr)
      return;
    if (const auto* found = a->batch_at(position); found == nullptr || *found != id)
      fail(text(from) + ", " + where(l, position) + "proposes " + text(id) + ", and " +
           (found == nullptr ? "nothing" : text(*found)) + " was found");
    if (!a->proposed_batches.emplace(position, id).second || a->proposed_noops.find(position) != nullptr)
      if (a->proposed_noops.find(position) != nullptr || a->proposed_batches.at(position) != id)
        fail(text(from) + ", " + where(l, position) + "proposes two values at one ballot");
  }

  void proposed(const place& from, const mencius::NoopVote& m) {
    const auto range = mencius::span_of(m);
    const auto& lanes = record().lanes();
    auto* a = may_propose(from, from_wire(m.ballot()), {range.which, range.first(lanes), range.last(lanes)});
    if (a == nullptr)
      return;
    mencius::for_each_part(lanes, range, m.but(), [&](std::uint64_t begin, std::uint64_t end) {
      for (auto it = a->batches.lower_bound(begin); it != a->batches.end() && it->first < end; ++it)
        if (const auto* batch = a->batch_at(it->first))
          fail(text(from) + ", " + where(range.which, it->first) + "proposes a no-op, and " + text(*batch) +
               " was found");
      a->proposed_noops.assign(begin, end, true);
    });
  }

  void voted(const place& from, const mencius::Votes& m) {
    for (const auto& v : m.slots()) {
      const auto b = from_wire(v.ballot());
      if (b == ballot{})
        continue;
      const auto& list = attempts_[b].proposed_batches;
      const auto known = list.find(record().lanes().position(v.slot()));
      if (known == list.end() || known->second != from_wire(v.id()))
        fail(text(from) + ", " + at(v.slot()) + "votes for " + text(from_wire(v.id())) +
             ", which nobody proposed at " + text(b));
    }
    for (const auto& v : m.noops())
      mencius::for_each_part(
          record().lanes(), mencius::span_of(v), v.but(), [&](std::uint64_t begin, std::uint64_t end) {
            const auto gap = attempts_[from_wire(v.ballot())].proposed_noops.gap_from(begin);
            if (gap < end)
              fail(text(from) + ", " + where(v.lane(), gap) + "votes for a no-op, which nobody proposed at " +
                   text(from_wire(v.ballot())));
          });
  }

  std::map<ballot, attempt> attempts_;
};

}  // namespace

void add_mencius_ballot_parts(mencius_parts& parts, verdict& result, const mencius_record& record) {
  parts.push_back(std::make_unique<promises>(result, record));
  parts.push_back(std::make_unique<found>(result, record));
}

}  // namespace quorate::testing
