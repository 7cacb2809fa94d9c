#include "tests/protocols/bag.hpp"

#include <algorithm>

namespace quorate::testing {

using namespace std::chrono_literals;

namespace {

void require(bool condition, const std::string& message) {
  if (!condition)
    throw bag_fault{message};
}

}  // namespace

// --- one node
// ----------------------------------------------------------------------------------------------------

bag::desk::desk(bag& w, node& n, std::unique_ptr<any_role> r)
    : world(w), home(n), role(std::move(r)), space{group_id{0}, epoch_id{0}, role->place()}, gate(space),
      filter(w.origin_of(n), w.members_), random(w.random_.next()) {
  role->out().set_prng(random);
}

void bag::desk::run() {
  gate.run(role->out(), *this);
}

void bag::desk::write(std::vector<journal_op> ops, bool sync, std::uint64_t ticket) {
  require(!home.disk.commit(std::move(ops), false), "the disk refused a write");
  home.unsynced.push_back({this, ticket, sync});
}

void bag::desk::send(send_effect&& effect) {
  if (const auto* vote = effect.message.get<with_payload<paxos::Accepted>>())
    world.watch(home, *vote);
  else if (const auto* promise = effect.message.get<with_payload<paxos::Promise>>())
    world.watch(home, *promise);
  else if (const auto* prepare = effect.message.get<paxos::Prepare>())
    world.watch(home, *prepare);
  for (const auto to : effect.to) {
    if (to == home.id)
      home.inbox.emplace_back(home.id, effect.message);
    else
      world.bag_.push_back({world.origin_of(home), to, effect.message});
  }
}

void bag::desk::read(read_effect&& effect) {
  journal_rows found{effect.id, {}, true};
  std::size_t bytes = 0;
  home.disk.view(space)->scan(effect.from, effect.to, [&](journal_row&& row) {
    bytes += row.value.size() + (row.batch ? row.batch->body.size() : 0);
    found.rows.push_back(std::move(row));
    found.complete = bytes < effect.bytes_max;
    return found.complete;
  });
  rows.push_back(std::move(found));
}

origin bag::origin_of(const node& n) const {
  return {1, group_id{0}, epoch_id{0}, n.id, members_[n.id.value - 1].disk, n.boot};
}

void bag::start(node& n) {
  n.boot = n.boot.next();
  n.alive = true;
  n.executed = n.durable;
  const protocol_context context{group_id{0},
                                 epoch_id{0},
                                 members_,
                                 n.id,
                                 n.boot,
                                 cursor{slot_at(n.durable)},
                                 {{"takeover_after_ms", "5"}}};
  for (auto& role : make_(context)) {
    const auto place = role->place();
    auto& d = *n.desks.emplace(place, std::make_unique<desk>(*this, n, std::move(role))).first->second;
    d.role->recover(*n.disk.view(d.space));
  }
  for (auto& [place, d] : n.desks) {
    d->role->out().set_now(now_);
    d->role->start();
    d->run();
  }
}

void bag::crash(node& n) {
  ++crashes_;
  n.alive = false;
  n.disk.crash(random_.below(n.disk.unsynced() + 1));
  n.unsynced.clear();
  n.desks.clear();
  n.inbox.clear();
  n.generation = 0;
  n.wants_sync = false;
  n.barriers.clear();
  n.wanted.clear();
}

void bag::hand_over(node& n, node_id from, const box& message) {
  if (const auto* d = message.get<delivered>())
    return take_in(n, *d);
  if (const auto* r = message.get<reached>()) {
    const auto asked = n.barriers.find(r->id);
    if (asked == n.barriers.end())
      return;
    require(n.executed >= asked->second, text(n.id) + " reached a barrier too early");
    n.barriers.erase(asked);
    return;
  }
  if (message.get<fell_behind>()) {
    n.wants_sync = true;
    return;
  }
  if (const auto* back = message.get<not_ordered>()) {
    for (const auto& id : back->ids) {
      require(!delivered_.contains(id), text(id) + " was taken back after it was delivered");
      taken_back_.insert(id);
      n.wanted.erase(id);
    }
    return;
  }
  auto& d = *n.desks.at(message.to());
  d.role->out().set_now(now_);
  require(d.role->on(from, message), "nobody handles " + message.text());
  d.run();
}

void bag::sync(node& n, std::size_t commits) {
  n.disk.sync_first(commits);
  for (std::size_t i = 0; i < commits; ++i) {
    const auto w = n.unsynced.front();
    n.unsynced.pop_front();
    if (w.sync)
      w.by->gate.durable(w.ticket, *w.by);
  }
}

// --- checks
// ------------------------------------------------------------------------------------------------------

void bag::watch(const node& by, const paxos::Prepare& msg) {
  const auto at = from_wire(msg.ballot());
  const auto use = std::make_pair(msg.slot(), by.boot);
  require(prepared_.try_emplace(at, use).first->second == use, "ballot " + text(at) + " is used twice");
}

void bag::watch(const node& by, const with_payload<paxos::Promise>& msg) {
  auto& said = said_[{by.id, msg.head.slot()}];
  const auto voted = from_wire(msg.head.voted());
  require(voted >= said.voted, text(by.id) + " forgot its vote at " + text(said.voted));
  said.promises.emplace_back(voted, from_wire(msg.head.ballot()));
}

void bag::watch(const node& by, const with_payload<paxos::Accepted>& msg) {
  const auto s = msg.head.slot();
  const auto at = from_wire(msg.head.ballot());
  const auto id = from_wire(msg.head.value().id());
  auto& said = said_[{by.id, s}];
  said.voted = std::max(said.voted, at);
  for (const auto& [voted, promised] : said.promises)
    require(at <= voted || at >= promised,
            text(by.id) + " voted at " + text(at) + " below " + text(promised));
  auto& [known, voters] = votes_[s].try_emplace(at, id, vote_count{}).first->second;
  require(known == id, "two batches at one ballot of slot " + std::to_string(s));
  voters.add(by.id);
  if (!quorum_.reached(voters.size()))
    return;
  const auto [it, fresh] = chosen_.emplace(s, id);
  require(it->second == id,
          "slot " + std::to_string(s) + ": " + text(it->second) + " and " + text(id) + " are chosen");
}

void bag::take_in(node& n, const delivered& d) {
  if (d.generation != n.generation)
    return;
  const auto place = text(n.id) + " at " + std::to_string(d.at.value) + ": " + text(d.value.id);
  const auto known = chosen_.find(d.at.value);
  require(known != chosen_.end() && known->second == d.value.id, place + " is not chosen");
  if (n.executed < log_.size()) {
    require(log_[n.executed].at == d.at.value && log_[n.executed].id == d.value.id,
            place + " but another node has delivered " + text(log_[n.executed].id));
    ++n.executed;
  } else {
    require(log_.empty() || log_.back().at < d.at.value, place + " is out of order");
    log_.push_back({d.at.value, d.value.id});
    ++n.executed;
    const auto list = decode_commands(d.value.body.view());
    require(list.has_value() && !list->empty(), place + " holds no commands");
    for (const auto& c : *list) {
      require(c.id.number.value >= 1 && c.id.number.value <= commands_,
              place + " holds what nobody proposed");
      require(!taken_back_.contains(c.id), place + " holds a command that was taken back");
      require(++delivered_[c.id] == 1 || fast_forwards_ > 0, place + " repeats a command");
    }
  }
}

bool bag::settled() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& n) {
    return n->executed == log_.size() && n->barriers.empty() &&
           std::all_of(n->wanted.begin(), n->wanted.end(),
                       [&](const auto& id) { return delivered_.contains(id); });
  });
}

// --- what happens
// ------------------------------------------------------------------------------------------------

bag::bag(std::uint64_t seed, std::size_t members, roles_maker make)
    : random_(seed), make_(std::move(make)), quorum_(members) {
  mix_ = {.local = random_.between(100, 1'200),
          .remote = random_.between(200, 800),
          .disk = random_.between(50, 300),
          .time = random_.between(5, 100),
          .client = random_.between(5, 60),
          .replica = random_.between(0, 30),
          .crash = random_.chance(25) ? random_.between(10, 60) : random_.between(0, 12),
          .lost = static_cast<double>(random_.below(15)),
          .doubled = static_cast<double>(random_.below(15)),
          .held_back = static_cast<double>(random_.below(100)),
          .step_max = std::chrono::milliseconds{random_.between(2, 30)}};
  for (std::uint32_t i = 1; i <= members; ++i)
    members_.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
  for (const auto& m : members_) {
    nodes_.push_back(std::make_unique<node>());
    nodes_.back()->id = m.id;
    start(*nodes_.back());
  }
}

void bag::client(node& n) {
  if (random_.chance(10)) {
    // It takes the place of one that is open.
    n.barriers.clear();
    n.barriers.emplace(token{++tokens_}, log_.size());
    return hand_over(n, n.id, box::of(barrier{token{tokens_}}));
  }
  if (random_.chance(15) && !n.wanted.empty())
    return hand_over(n, n.id, box::of(take_back{{n.wanted.begin(), n.wanted.end()}, token{1}}));
  propose some;
  for (auto i = random_.between(1, 3); i > 0; --i) {
    some.commands.push_back(
        {{session_id{1}, sequence{++commands_}}, 0, command_kind::machine, "k", payload{"v"}});
    n.wanted.insert(some.commands.back().id);
  }
  hand_over(n, n.id, box::of(std::move(some)));
}

void bag::replica(node& n) {
  n.durable = random_.between(n.durable, n.executed);
  const auto& source = any_node();
  if (source.executed >= n.durable && (n.wants_sync ? source.executed > n.executed : random_.chance(3))) {
    n.wants_sync = false;
    // Sync takes what it is given; entries that came meanwhile from the learner are void, and come again.
    n.executed = std::max(n.durable, random_.between(n.durable, source.executed));
    ++fast_forwards_;
    n.barriers.clear();
    return hand_over(n, n.id, box::of(fast_forward{cursor{slot_at(n.executed)}, ++n.generation}));
  }
  std::vector<std::size_t> durable;
  for (const auto& other : nodes_)
    durable.push_back(other->durable);
  std::sort(durable.rbegin(), durable.rend());
  const auto safe = std::min(durable[quorum_.size() - 1], n.durable);
  if (random_.chance(30))
    hand_over(n, n.id, box::of(forget{cursor{slot_at(safe)}}));
}

void bag::deliver_remote(bool faults) {
  // Some messages are held back until others have come after them.
  const auto oldest = faults && random_.chance(mix_.held_back) ? bag_.size() / 2 : 0;
  const auto at = oldest + random_.below(bag_.size() - oldest);
  const auto m = bag_[at];
  if (!faults || !random_.chance(mix_.doubled))  // else it stays, and comes again
    bag_.erase(bag_.begin() + static_cast<std::ptrdiff_t>(at));
  auto& to = *nodes_[m.to.value - 1];
  if (!to.alive || (faults && random_.chance(mix_.lost)))
    return;
  if (to.desks.at(m.message.to())->filter.check(m.from) == origin_filter::verdict::pass)
    hand_over(to, m.from.node, m.message);
}

void bag::pass_time(duration at_most) {
  auto next = now_ + at_most;
  for (const auto& n : nodes_)
    for (const auto& [place, d] : n->desks)
      for (const auto& [tag, at] : d->timers)
        next = std::min(next, at);
  now_ = std::max(now_, next);
  for (const auto& n : nodes_)
    for (const auto& [place, d] : n->desks) {
      std::vector<timer_tag> due;
      for (const auto& [tag, at] : d->timers)
        if (at <= now_)
          due.push_back(tag);
      for (const auto tag : due) {
        d->timers.erase(tag);
        d->role->out().set_now(now_);
        d->role->on_timer(tag);
        d->run();
      }
    }
}

void bag::fetch_rows(node& n) {
  for (auto& [place, d] : n.desks)
    for (; !d->rows.empty(); d->rows.pop_front()) {
      d->role->on_rows(std::move(d->rows.front()));
      d->run();
    }
}

void bag::step() {
  auto& n = any_node();
  if (!n.alive) {
    if (random_.chance(20))
      start(n);
    return;
  }
  auto dice = random_.below(mix_.local + mix_.remote + mix_.disk + mix_.time + mix_.client + mix_.replica +
                            mix_.crash);
  const auto falls_on = [&](std::uint64_t weight) {
    const auto hit = dice < weight;
    dice -= hit ? 0 : weight;
    return hit;
  };
  if (falls_on(mix_.local)) {
    if (n.inbox.empty())
      return;
    const auto [from, message] = n.inbox.front();
    n.inbox.pop_front();
    hand_over(n, from, message);
  } else if (falls_on(mix_.remote)) {
    if (!bag_.empty())
      deliver_remote(true);
  } else if (falls_on(mix_.disk)) {
    if (!n.unsynced.empty())
      sync(n, random_.between(1, n.unsynced.size()));
    fetch_rows(n);
  } else if (falls_on(mix_.time)) {
    pass_time(duration{random_.below(static_cast<std::uint64_t>(mix_.step_max.count()))});
  } else if (falls_on(mix_.client)) {
    client(n);
  } else if (falls_on(mix_.replica)) {
    replica(n);
  } else {
    crash(n);
  }
}

void bag::heal() {
  for (const auto& n : nodes_)
    if (!n->alive)
      start(*n);
  const auto since = now_;
  while (!settled()) {
    require(now_ - since < 30s, "not settled 30 s after the faults stopped");
    for (bool busy = true; busy;) {
      busy = !bag_.empty();
      if (busy)
        deliver_remote(false);
      for (const auto& n : nodes_) {
        if (n->wants_sync)
          replica(*n);
        sync(*n, n->unsynced.size());
        fetch_rows(*n);
        for (; !n->inbox.empty(); busy = true) {
          const auto [from, message] = n->inbox.front();
          n->inbox.pop_front();
          hand_over(*n, from, message);
        }
      }
    }
    pass_time(1s);
  }
  healed_after_ = now_ - since;
}

void bag::run(int steps) {
  for (int i = 0; i < steps; ++i)
    step();
  heal();
}

}  // namespace quorate::testing
