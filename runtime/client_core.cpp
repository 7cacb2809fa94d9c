#include "runtime/client_core.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/limits.hpp"
#include "runtime/opening_nonce.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr duration patience_max = std::chrono::seconds{2};
// Commands of one message: a node's mailbox should not hold one that takes it milliseconds.
constexpr std::size_t commands_per_message = 4'096;

/// Codes by which a node says that what it was handed will never be ordered.
bool never_ordered(errc code) {
  switch (code) {
  case errc::no_quorum:
  case errc::overloaded:
  case errc::not_founded:
  case errc::moved:
  case errc::shutting_down:
  case errc::state_differs:
    return true;
  default:
    return false;
  }
}

}  // namespace

client_core::client_core(std::size_t nodes, client_limits limits, std::uint64_t seed)
    : limits_(limits), prng_(seed), nodes_(nodes), opening_(client_nonce(prng_.next())) {
  ENSURE(nodes > 0, "a client must know a node");
  limits_.window = std::clamp<std::size_t>(limits_.window, 1, limits::session_window / 2);
  current_ = static_cast<std::size_t>(prng_.below(nodes));
}

client_core::effects client_core::take() {
  return std::exchange(effects_, {});
}

void client_core::submit(token id, std::string key, payload body, time_point now) {
  if (key.size() > limits::key_bytes_max || key.size() + body.size() > limits::command_bytes_max) {
    effects_.results.push_back({id, errc::too_large, {}});
    return;
  }
  if (queue_.size() >= limits_.waiting_max) {
    effects_.results.push_back({id, errc::overloaded, {}});
    return;
  }
  entry e;
  e.id = id;
  e.what.key = std::move(key);
  e.what.body = std::move(body);
  e.deadline = now + limits_.deadline;
  queue_.push_back(std::move(e));
  fill(now);
}

void client_core::connected(std::size_t node, time_point now) {
  nodes_[node] = {true, false, now};
  if (session_ == session_id{} && opening_node_ == nobody)
    open_session(now);
  fill(now);
}

void client_core::lost(std::size_t node, time_point now) {
  nodes_[node].connected = false;
  if (opening_node_ == node)
    open_session(now);
  // Its answers would have come on the connection that is gone.
  std::vector<sequence> numbers;
  for (std::size_t i = 0; i < window_.size(); ++i)
    if (!window_[i].answered && window_[i].node == node)
      numbers.push_back(sequence{first_ + i});
  retry(numbers, node, now);
}

std::size_t client_core::choose(std::size_t but) {
  // Commands that stay together make larger batches: the same node as long as it answers.
  auto best = nobody;
  auto rank = -1;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto n = (current_ + i) % nodes_.size();
    if (!nodes_[n].connected)
      continue;
    const auto r = (nodes_[n].silent ? 0 : 2) + (n == but ? 0 : 1);
    if (r > rank) {
      rank = r;
      best = n;
    }
  }
  if (best != nobody)
    current_ = best;
  return best;
}

duration client_core::patience(std::uint32_t attempts) const {
  return std::min(patience_max, limits_.retry_after * (std::int64_t{1} << std::min(attempts, 8U)));
}

void client_core::open_session(time_point now) {
  opening_at_ = now;
  opening_node_ = choose(opening_node_);
  if (opening_node_ == nobody)
    return;
  command c;
  c.kind = command_kind::open_session;
  c.id = {session_id{0}, sequence{opening_}};
  effects_.commands.push_back({opening_node_, {std::move(c)}});
}

void client_core::fill(time_point now) {
  if (session_ == session_id{} || queue_.empty())
    return;
  const auto node = choose();
  if (node == nobody)
    return;
  std::vector<entry*> fresh;
  while (!queue_.empty() && open_ < limits_.window && window_.size() < limits::session_window / 2 &&
         fresh.size() < commands_per_message) {
    auto e = std::move(queue_.front());
    queue_.pop_front();
    e.what.id = {session_, sequence{first_ + window_.size()}};
    e.node = nobody;
    e.attempts = e.possible = 0;
    window_.push_back(std::move(e));
    ++open_;
    fresh.push_back(&window_.back());
  }
  hand_in(node, std::move(fresh), now);
}

void client_core::hand_in(std::size_t node, std::vector<entry*> entries, time_point now) {
  if (entries.empty())
    return;
  attempt a{now, node, {}};
  a.commands.reserve(entries.size());
  // One message for all that are handed to one node in a turn.
  if (effects_.commands.empty() || effects_.commands.back().node != node ||
      effects_.commands.back().list.size() + entries.size() > commands_per_message)
    effects_.commands.push_back({node, {}});
  auto& list = effects_.commands.back().list;
  std::uint32_t most = 0;
  for (auto* e : entries) {
    e->node = node;
    ++e->attempts;
    ++e->possible;
    e->what.done_below = first_;
    most = std::max(most, e->attempts);
    a.commands.emplace_back(e->what.id.number, e->attempts);
    list.push_back(e->what);
  }
  overdue_at_.emplace(now + patience(most - 1), std::move(a));
}

void client_core::retry(const std::vector<sequence>& numbers, std::size_t but, time_point now) {
  if (numbers.empty())
    return;
  const auto node = choose(but);
  if (node == nobody)
    return;  // `tick` tries again
  std::vector<entry*> again;
  for (const auto number : numbers) {
    auto* e = find(number);
    if (e == nullptr)
      continue;
    again.push_back(e);
    if (again.size() == commands_per_message)
      hand_in(node, std::exchange(again, {}), now);
  }
  hand_in(node, std::move(again), now);
}

client_core::entry* client_core::find(sequence number) {
  if (number.value < first_ || number.value - first_ >= window_.size())
    return nullptr;
  auto& e = window_[number.value - first_];
  return e.answered ? nullptr : &e;
}

void client_core::settle(entry& e, errc code, payload body) {
  effects_.results.push_back({e.id, code, std::move(body)});
  e.answered = true;
  e.what = {};
  --open_;
}

void client_core::on(std::size_t node, const std::vector<outcome>& list, time_point now) {
  nodes_[node].silent = false;
  nodes_[node].heard = now;
  auto expired = false;
  std::vector<sequence> ask_others;
  for (const auto& one : list) {
    if (one.id.session == session_id{0}) {
      byte_reader in{one.body.view()};
      const session_id opened{in.little<std::uint64_t>()};
      if (session_ != session_id{} || one.id.number.value != opening_)
        continue;
      if (one.code == errc::ok && in.ok()) {
        session_ = opened;
        opening_node_ = nobody;
        first_ = 0;
      }
      continue;
    }
    auto* e = one.id.session == session_ ? find(one.id.number) : nullptr;
    if (e == nullptr)
      continue;
    if (one.code == errc::session_expired) {
      expired = true;
      // Handed in once and refused: never executed. Otherwise an earlier attempt may have been.
      if (e->attempts > 1) {
        settle(*e, errc::unknown_outcome, {});
      } else {
        queue_.push_front(*e);
        e->answered = true;
        --open_;
      }
    } else if (never_ordered(one.code)) {
      // Not by this node; the next attempt is made when its time comes.
      e->refusal = one.code;
      if (e->possible > 0)
        --e->possible;
    } else if (one.code == errc::unknown_outcome) {
      // This node has skipped the place where it may stand; another one knows.
      ask_others.push_back(one.id.number);
    } else {
      settle(*e, one.code, one.body);
    }
  }
  while (!window_.empty() && window_.front().answered) {
    window_.pop_front();
    ++first_;
  }
  if (expired)
    renew_session(now);
  else
    retry(ask_others, node, now);
  fill(now);
}

void client_core::renew_session(time_point now) {
  // Those of the old session that are still under way get no answer any more that could be told apart.
  for (auto& e : window_)
    if (!e.answered)
      settle(e, errc::unknown_outcome, {});
  window_.clear();
  overdue_at_.clear();
  session_ = session_id{};
  opening_ = client_nonce(prng_.next());
  opening_node_ = nobody;
  open_session(now);
}

void client_core::tick(time_point now) {
  if (session_ == session_id{} && now - opening_at_ >= patience(0))
    open_session(now);
  expire(now);
  retry_overdue(now);
  fill(now);
}

void client_core::retry_overdue(time_point now) {
  std::map<std::size_t, std::vector<sequence>> again;  // by the node that let them wait
  while (!overdue_at_.empty() && overdue_at_.begin()->first <= now) {
    const auto a = std::move(overdue_at_.begin()->second);
    overdue_at_.erase(overdue_at_.begin());
    auto any = false;
    for (const auto& [number, attempts] : a.commands) {
      const auto* e = find(number);
      if (e == nullptr || e->attempts != attempts)
        continue;
      again[a.node].push_back(number);
      any = true;
    }
    if (any && nodes_[a.node].heard < a.sent)
      nodes_[a.node].silent = true;
  }
  for (const auto& [node, numbers] : again) {
    if (choose(node) != nobody) {
      retry(numbers, node, now);
      continue;
    }
    // Nobody is connected: later.
    attempt a{now, node, {}};
    for (const auto number : numbers)
      a.commands.emplace_back(number, find(number)->attempts);
    overdue_at_.emplace(now + limits_.retry_after, std::move(a));
  }
}

void client_core::expire(time_point now) {
  // Both are in the order of their deadlines, but for those of an expired session, which come first.
  for (auto& e : window_) {
    if (e.answered)
      continue;
    if (e.deadline > now)
      break;
    settle(e, e.possible > 0 ? errc::unknown_outcome : e.refusal, {});
  }
  while (!window_.empty() && window_.front().answered) {
    window_.pop_front();
    ++first_;
  }
  while (!queue_.empty() && queue_.front().deadline <= now) {
    effects_.results.push_back({queue_.front().id, errc::no_quorum, {}});
    queue_.pop_front();
  }
}

void client_core::close() {
  for (auto& e : window_)
    if (!e.answered)
      settle(e, e.possible > 0 ? errc::unknown_outcome : errc::shutting_down, {});
  for (const auto& e : queue_)
    effects_.results.push_back({e.id, errc::shutting_down, {}});
  window_.clear();
  queue_.clear();
  overdue_at_.clear();
}

}  // namespace quorate
