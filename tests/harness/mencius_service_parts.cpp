// The parts of the mencius check that look at what the replica is promised: M7, M8, M9.
#include "actors/traffic.hpp"
#include "tests/harness/mencius_check.hpp"

#include <bit>
#include <set>

namespace quorate::testing {

namespace {

using mencius::slot;

std::uint64_t bit_of(node_id n) {
  return std::uint64_t{1} << (n.value - 1);
}

class once : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M7 once"; }

  void started(const place& p) override {
    if (p.role == port::proposer)
      of_.erase(p.node);
  }

  void taken(const place& by, node_id, const box& message) override {
    if (by.role == port::proposer)
      visit(message, messages<propose, with_payload<mencius::HandOff>, mencius::Voided, mencius::Advanced>{},
            [&](const auto& m) { told(of_[by.node], m); });
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    const auto* suggest = message.get<with_payload<mencius::Suggest>>();
    if (suggest == nullptr)
      return;
    auto& mine = of_[from.node];
    const auto [known, fresh] = mine.open.try_emplace(suggest->head.slot());
    if (!fresh)
      return;
    const auto commands = decode_commands(suggest->body.view());
    if (!commands)
      return;
    for (const auto& c : *commands) {
      known->second.push_back(c.id);
      auto& count = mine.commands[c.id];
      if (++count.suggested > count.asked)
        fail(text(from) + ", " + at(suggest->head.slot()) + "suggests command " + text(c.id) +
             " again, and its other slot may still be decided");
    }
  }

private:
  struct copies {
    std::uint64_t asked = 0;
    std::uint64_t suggested = 0;  ///< in slots that hold it, or may
  };
  /// A proposer, since its start.
  struct suggestions {
    std::map<command_id, copies> commands;
    std::map<slot, std::vector<command_id>> open;
  };

  static void told(suggestions& mine, const propose& m) {
    for (const auto& c : m.commands)
      ++mine.commands[c.id].asked;
  }
  static void told(suggestions& mine, const with_payload<mencius::HandOff>& m) {
    if (const auto commands = decode_commands(m.body.view()))
      for (const auto& c : *commands)
        ++mine.commands[c.id].asked;
  }
  static void told(suggestions& mine, const mencius::Voided& m) { give_up(mine, m.from(), m.to()); }
  static void told(suggestions& mine, const mencius::Advanced& m) { give_up(mine, 0, m.slot()); }

  static void give_up(suggestions& mine, slot begin, slot end) {
    for (auto it = mine.open.lower_bound(begin); it != mine.open.end() && it->first < end; ++it) {
      for (const auto& id : it->second)
        --mine.commands[id].suggested;
      it->second.clear();
    }
  }

  std::map<node_id, suggestions> of_;
};

/// How far a learner is.
class positions {
public:
  void restarted(node_id n) { next_.erase(n); }
  void taken(const place& by, const box& message) {
    if (const auto* m = message.get<fast_forward>(); m != nullptr && by.role == port::learner)
      next_[by.node] = m->at.value;
  }
  void sent(const place& from, const box& message) {
    if (const auto* m = message.get<delivered>())
      next_[from.node] = m->at.value;
    else if (const auto* position = message.get<mencius::Position>())
      next_[from.node] = position->next();
  }
  /// Nothing where it has not said.
  [[nodiscard]] std::optional<slot> of(node_id n) const {
    const auto known = next_.find(n);
    return known == next_.end() ? std::nullopt : std::optional{known->second};
  }

private:
  std::map<node_id, slot> next_;
};

class barriers : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M8 barrier"; }

  void started(const place& p) override {
    if (p.role != port::learner)
      return;
    open_.erase(p.node);
    next_.restarted(p.node);
  }

  void taken(const place& by, node_id from, const box& message) override {
    if (by.role != port::learner)
      return;
    next_.taken(by, message);
    auto& mine = open_[by.node];
    if (const auto* asked = message.get<barrier>(); asked != nullptr && from == by.node)
      mine.barriers.emplace(asked->id, waiting{record().chosen_end(), mine.queries, 0});
    else if (message.get<fast_forward>() != nullptr)
      mine.barriers.clear();
    else if (const auto* reply = message.get<mencius::BarrierReply>())
      for (auto& [id, w] : mine.barriers)
        if (reply->boot() == by.boot.value && reply->token() > w.query)
          w.heard |= bit_of(from);
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (from.role == port::acceptor)
      if (const auto* reply = message.get<mencius::BarrierReply>())
        replied(from, *reply);
    if (from.role == port::acceptor)
      if (const auto* votes = message.get<mencius::Votes>())
        for (const auto& v : votes->slots())
          voted_[from.disk] = std::max(voted_[from.disk], v.slot() + 1);
    if (from.role != port::learner)
      return;
    next_.sent(from, message);
    auto& mine = open_[from.node];
    if (const auto* query = message.get<mencius::BarrierQuery>())
      mine.queries = std::max(mine.queries, query->token());
    else if (const auto* done = message.get<reached>())
      reaches(from, mine, done->id);
  }

private:
  struct waiting {
    slot chosen_end;      ///< when it was asked for
    std::uint64_t query;  ///< the last one before it
    std::uint64_t heard;  ///< a bit per member
  };
  struct learner {
    std::multimap<token, waiting> barriers;  ///< a replica asks again under the same name
    std::uint64_t queries = 0;
  };

  void replied(const place& from, const mencius::BarrierReply& m) {
    if (m.high() < voted_[from.disk])
      fail(text(from) + " says that it voted for batches below " + std::to_string(m.high()) +
           " only, and it did below " + std::to_string(voted_[from.disk]));
  }

  void reaches(const place& from, learner& mine, const token& id) {
    const auto known = mine.barriers.lower_bound(id);  // the first that it asked for
    if (known == mine.barriers.end() || known->first != id) {
      fail(text(from) + " reaches a barrier that nobody asked for");
      return;
    }
    const auto& w = known->second;
    if (!record().quorum().reached(static_cast<std::size_t>(std::popcount(w.heard))))
      fail(text(from) + " reaches a barrier without a majority's answers");
    if (const auto next = next_.of(from.node); next && *next < w.chosen_end)
      fail(text(from) + " reaches a barrier at " + std::to_string(*next) +
           ", and what was chosen before ends at " + std::to_string(w.chosen_end));
    mine.barriers.erase(known);
  }

  std::map<node_id, learner> open_;
  std::map<disk_id, slot> voted_;
  positions next_;
};

class forgetting : public mencius_part {
public:
  using mencius_part::mencius_part;
  [[nodiscard]] std::string_view name() const override { return "M9 forgetting"; }

  void started(const place& p) override {
    // A floor that was not saved is gone.
    if (p.role == port::acceptor)
      floors_[p.node] = saved_[p.disk];
  }

  void taken(const place& by, node_id from, const box& message) override {
    if (by.role != port::acceptor)
      return;
    if (const auto* m = message.get<forget>(); m != nullptr && from == by.node) {
      floors_[by.node] = std::max(floors_[by.node], m->at.value);
    } else if (const auto* prepare = message.get<mencius::Prepare>()) {
      // Its answer to the first copy may still wait for the disk when another one comes.
      const std::tuple asked{by.node, by.boot, from_wire(prepare->ballot())};
      if (asked_.insert(asked).second &&
          record().lanes().at_or_above(prepare->lane(), prepare->from()) < floors_[by.node])
        refused_.insert(asked);
    }
  }

  void sent(const place& from, const std::vector<node_id>&, const box& message) override {
    if (from.role != port::acceptor)
      return;
    if (const auto* m = message.get<mencius::Forgotten>())
      saved_[from.disk] = std::max(saved_[from.disk], m->floor());
    else if (const auto* promise = message.get<mencius::Promise>();
             promise != nullptr && refused_.contains({from.node, from.boot, from_wire(promise->ballot())}))
      fail(text(from) + " promises " + text(from_wire(promise->ballot())) +
           " over slots that it has forgotten");
  }

private:
  std::map<node_id, slot> floors_;
  std::map<disk_id, slot> saved_;
  std::set<std::tuple<node_id, boot_id, ballot>> asked_;
  std::set<std::tuple<node_id, boot_id, ballot>> refused_;
};

}  // namespace

void add_mencius_service_parts(mencius_parts& parts, verdict& result, const mencius_record& record) {
  parts.push_back(std::make_unique<once>(result, record));
  parts.push_back(std::make_unique<barriers>(result, record));
  parts.push_back(std::make_unique<forgetting>(result, record));
}

}  // namespace quorate::testing
