// The parts of the mencius check that look at values: M1, M2, M4, M6, H.
#include "tests/harness/mencius_check.hpp"

namespace quorate::testing {

namespace {

using mencius::lane;
using mencius::slot;

class one_value : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M1 one value"; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (record().contradiction())
      fail(text(from) + ", " + *record().contradiction());
    if (from.role == port::learner)
      visit(message,
            messages<mencius::Decided, mencius::Voided, mencius::Facts, with_payload<mencius::Chosen>,
                     delivered>{},
            [&](const auto& m) { stated(from, m); });
  }

private:
  void stated(const place& from, const mencius::Decided& m) {
    holds(from, m.slot(), from_wire(m.id()), "is told that it holds ");
  }
  void stated(const place& from, const delivered& m) { holds(from, m.at.value - 1, m.value.id, "delivers "); }
  void stated(const place& from, const with_payload<mencius::Chosen>& m) {
    holds(from, m.head.slot(), from_wire(m.head.id()), "tells that it holds ");
    if (m.head.after() < m.head.slot())
      are_empty(from, record().not_empty(m.head.after(), m.head.slot()), "Chosen");
  }
  void stated(const place& from, const mencius::Voided& m) {
    are_empty(from, record().not_empty(record().lanes().of(from.node), m.from(), m.to()), "Voided");
  }
  void stated(const place& from, const mencius::Facts& m) {
    for (const auto& r : m.noops())
      are_empty(from,
                r.has_lane() ? record().not_empty(r.lane(), r.from(), r.to())
                             : record().not_empty(r.from(), r.to()),
                "Facts");
  }

  void holds(const place& from, slot s, const batch_id& id, std::string_view how) {
    const auto* known = record().chosen(s);
    if (known == nullptr)
      fail(text(from) + ", " + at(s) + std::string{how} + text(id) + ", and nothing is chosen there");
    else if (*known != id)
      fail(text(from) + ", " + at(s) + std::string{how} + text(id) + ", and " + text(*known) + " is chosen");
  }
  void are_empty(const place& from, const std::optional<slot>& not_so, std::string_view where) {
    if (not_so)
      fail(text(from) + ", " + at(*not_so) + std::string{where} +
           " says that it holds no batch, which nobody has chosen");
  }
};

class ballot_zero : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M2 ballot 0"; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (const auto* suggest = message.get<with_payload<mencius::Suggest>>())
      suggested(from, suggest->head);
    else if (const auto* votes = message.get<mencius::Votes>())
      voted(from, *votes);
  }

private:
  void suggested(const place& from, const mencius::Suggest& m) {
    const auto s = m.slot();
    const auto id = from_wire(m.id());
    const auto& lanes = record().lanes();
    if (lanes.owner(lanes.of(s)) != from.node || id.node != from.node)
      fail(text(from) + ", " + at(s) + "suggests " + text(id) + " in the slot of " +
           text(lanes.owner(lanes.of(s))));
    else if (const auto* first = record().suggested(s); first != nullptr && *first != id)
      fail(text(from) + ", " + at(s) + "suggests " + text(id) + " after " + text(*first));
  }
  void voted(const place& from, const mencius::Votes& m) {
    for (const auto& v : m.slots()) {
      const auto* first = record().suggested(v.slot());
      if (first == nullptr || *first != from_wire(v.id()))
        fail(text(from) + ", " + at(v.slot()) + "votes for " + text(from_wire(v.id())) +
             ", which its owner has not suggested");
    }
    for (const auto& v : m.noops())
      if (from_wire(v.ballot()) == ballot{})
        fail(text(from) + ", " + at(v.from()) + "votes for no-ops at ballot 0");
  }
};

class claims : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M4 claims"; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    visit(message,
          messages<with_payload<mencius::Suggest>, mencius::OwnClaim, mencius::Reserved, mencius::Votes,
                   mencius::Position, mencius::Facts>{},
          [&](const auto& m) { stated(from, m); });
  }

private:
  void stated(const place& from, const mencius::Reserved& m) {
    auto& ceiling = ceilings_[from.disk];
    ceiling = std::max(ceiling, m.ceiling());
  }
  void stated(const place& from, const with_payload<mencius::Suggest>& m) {
    const auto s = m.head.slot();
    if (s >= ceilings_[from.disk])
      fail(text(from) + ", " + at(s) + "suggests above the saved ceiling " +
           std::to_string(ceilings_[from.disk]));
    const auto l = record().lanes().of(s);
    if (record().of(l).claimed.find(record().lanes().position(s)) != nullptr)
      fail(text(from) + ", " + at(s) + "suggests where it has skipped");
    made(from, l, m.head.since(), s);
  }
  void stated(const place& from, const mencius::OwnClaim& m) {
    const auto& c = m.claim();
    if (c.lane() != record().lanes().of(from.node))
      fail(text(from) + " claims to have skipped in the lane of another");
    else
      made(from, c.lane(), c.from(), c.upto());
  }
  void stated(const place& from, const mencius::Votes& m) {
    if (m.has_claim())
      passed_on(from, m.claim().lane(), m.claim().from(), m.claim().upto());
    for (const auto& v : m.slots())
      if (!v.has_ballot())
        passed_on(from, record().lanes().of(v.slot()), v.since(), v.slot());
  }
  void stated(const place& from, const mencius::Position& m) {
    for (const auto& c : m.claims())
      passed_on(from, c.lane(), c.from(), c.upto());
  }
  void stated(const place& from, const mencius::Facts& m) {
    for (const auto& c : m.claims())
      passed_on(from, c.lane(), c.from(), c.upto());
  }

  /// By the owner itself.
  void made(const place& from, lane l, slot begin, slot upto) {
    if (begin >= upto)
      return;
    if (upto > ceilings_[from.disk])
      fail(text(from) + " skips up to " + std::to_string(upto) + ", above the saved ceiling " +
           std::to_string(ceilings_[from.disk]));
    against_suggestions(from, l, begin, upto);
  }
  void passed_on(const place& from, lane l, slot begin, slot upto) {
    if (begin >= upto)
      return;
    against_suggestions(from, l, begin, upto);
    const auto range = record().span_of(l, begin, upto);
    const auto known = record().of(l).claimed.gap_from(range.begin);
    if (known < range.end)
      fail(text(from) + ", " + at(record().lanes().slot_at(l, known)) +
           "is passed on as skipped, and its owner has not");
  }
  void against_suggestions(const place& from, lane l, slot begin, slot upto) {
    const auto range = record().span_of(l, begin, upto);
    const auto& list = record().of(l).suggested;
    const auto it = list.lower_bound(range.begin);
    if (it != list.end() && it->first < range.end)
      fail(text(from) + ", " + at(record().lanes().slot_at(l, it->first)) + "counts as skipped, and " +
           text(it->second) + " was suggested there");
  }

  std::map<disk_id, slot> ceilings_;
};

class order : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M6 order"; }

  void started(const place& p) override {
    if (p.role == port::learner)
      next_.erase(p.node);
  }
  void taken(const place& by, node_id from, const box& message) override {
    if (const auto* m = message.get<fast_forward>(); m != nullptr && from == by.node)
      next_[by.node] = m->at.value;
  }
  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    const auto* m = message.get<delivered>();
    if (m == nullptr)
      return;
    const auto s = m->at.value - 1;
    const auto [known, first] = next_.try_emplace(from.node, s);
    const auto next = known->second;
    known->second = m->at.value;
    if (first)
      return;
    if (s < next)
      fail(text(from) + " delivers slot " + std::to_string(s) + ", and it was at " + std::to_string(next));
    else if (const auto left_out = record().not_empty(next, s))
      fail(text(from) + " delivers slot " + std::to_string(s) + " before " + std::to_string(*left_out) +
           " was known to be empty");
  }

private:
  std::map<node_id, slot> next_;  ///< of each learner: the lowest that it has not delivered
};

class highest : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "H highest"; }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    using with_high =
        messages<mencius::Votes, with_payload<mencius::Suggest>, mencius::Position, mencius::InUse,
                 mencius::Facts, mencius::Prepare, mencius::Promise, mencius::AcceptNoops,
                 with_payload<mencius::Accept>, mencius::Nack, mencius::BarrierQuery, mencius::BarrierReply>;
    visit(message, with_high{}, [&](const auto& m) {
      const auto high = high_of(m);
      if (high > record().suggested_end())
        fail(text(from) + " takes " + std::to_string(high) +
             " for the end of what holds batches, and it is " + std::to_string(record().suggested_end()));
    });
  }

private:
  template <class M>
  static slot high_of(const M& m) {
    return m.high();
  }
  template <class M>
  static slot high_of(const with_payload<M>& m) {
    return m.head.high();
  }
};

}  // namespace

void add_mencius_value_parts(mencius_parts& parts, verdict& result, const mencius_record& record) {
  // Whoever suggests or skips wrongly is named before what comes of it.
  parts.push_back(std::make_unique<ballot_zero>(result, record));
  parts.push_back(std::make_unique<claims>(result, record));
  parts.push_back(std::make_unique<one_value>(result, record));
  parts.push_back(std::make_unique<order>(result, record));
  parts.push_back(std::make_unique<highest>(result, record));
}

}  // namespace quorate::testing
