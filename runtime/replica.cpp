#include "runtime/replica.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/last_words.hpp"
#include "actors/limits.hpp"
#include "actors/members.hpp"
#include "actors/rare.hpp"
#include "runtime/log_rows.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr timer_tag tick{1};
constexpr std::string_view mark_key = "d";  // saved to make everything before it durable

// Behind by this much, asking the protocol for single batches is the slower way.
constexpr std::uint64_t far_behind = 1'024;
constexpr duration stuck_after = 1s;
// On a slow link the next batch alone takes seconds, and sync would send it once more.
constexpr duration batches_arrive_for = 10s;
constexpr std::uint64_t flush_after_batches = 16'384;
constexpr std::size_t flush_after_bytes = 64 * 1024 * 1024;

}  // namespace

std::string text(const replica_figures& m) {
  return "replica_figures{" + std::to_string(m.next) + "}";
}
std::size_t wire_size(const replica_figures&) {
  return 64;
}

replica::replica(replica_setup setup)
    : setup_(std::move(setup)),
      chunk_bytes_max_(setup_.memory.of("sync.chunk_bytes_max", limits::chunk_bytes_max)),
      far_behind_(setup_.memory.of("replica.far_behind", far_behind)),
      executor_(*setup_.machine, *setup_.state, setup_.sessions), log_(setup_.limits),
      agreement_(setup_.self, ids_of(setup_.members), setup_.memory) {
  for (const auto& m : setup_.members) {
    applied_[m.id] = log_index{0};
    durable_[m.id] = log_index{0};
  }
}

void replica::recover(const journal_view& saved) {
  if (const auto failed = executor_.load())
    end_for(failed->message);
  recover_quarantine(saved);
  bool first = true;
  saved.scan(log_rows::prefix, log_rows::end, [&](journal_row&& row) {
    const auto index = log_rows::index_of(row);
    if (first)
      log_.restart(index);
    first = false;
    auto entry = log_rows::decode(std::move(row));
    if (!entry)
      end_for("log entry " + std::to_string(index.value) + " cannot be read");
    // A hole can only come from a snapshot that was taken over: what is behind it does not fit the state.
    if (index != log_.next() || index > next()) {
      leftover_ = true;
      return false;
    }
    if (index == next())
      static_cast<void>(executor_.apply(entry->value.body.view(), entry->epoch, entry->at));
    log_.append({entry->epoch, entry->at, entry->value.body.size()});
    return true;
  });
  if (log_.next() != next()) {
    log_.restart(next());
    leftover_ = leftover_ || !first;
  }
}

void replica::start(out& o) {
  if (leftover_) {
    rare(o, "replica: finds rows that do not belong to its log");
    if (log_.first() == log_.next())
      o.erase(std::string{log_rows::prefix}, std::string{log_rows::end});
    else
      o.erase(log_rows::key(log_.next()), std::string{log_rows::end});
  }
  progress_ = next();
  progress_at_ = flush_asked_at_ = o.now();
  flush_asked_ = setup_.state->flushed().value_or(log_index{0});
  o.note(severity::info, "stands at index " + std::to_string(next().value) + ", its log begins at " +
                             std::to_string(log_.first().value));
  o.set_timer(tick, setup_.timings.applied_every);
  agreement_.own(next(), executor_.point().state_hash);
  if (differs_) {
    o.note(severity::error, why_quarantined() + " any more (this was found before this start)");
    begin_quarantine(o);
  }
  tell_applied(o);
  tell_node(o);
  o.send_now(setup_.self, ready{});
}

std::vector<node_id> replica::others() const {
  std::vector<node_id> out;
  for (const auto& m : setup_.members)
    if (m.id != setup_.self)
      out.push_back(m.id);
  return out;
}

// --- commands
// --------------------------------------------------------------------------------------------------

bool replica::expect(const command& c, const waiter& who, std::vector<outcome>& known) {
  const auto* done = c.kind == command_kind::machine ? executor_.open_sessions().find(c.id) : nullptr;
  if (done) {
    known.push_back({c.id, done->code, payload{done->body}});
    return false;
  }
  const auto [place, fresh] = waiting_.try_emplace(c.id, who);
  if (!fresh) {
    // Asked again: the answer goes to whoever asked last.
    place->second.node = who.node;
    return false;
  }
  clients_waiting_ += who.client ? 1 : 0;
  clients_bytes_ += who.bytes;
  return true;
}

void replica::forget_waiter(std::map<command_id, waiter>::iterator one) {
  clients_waiting_ -= one->second.client ? 1 : 0;
  clients_bytes_ -= one->second.bytes;
  waiting_.erase(one);
}

void replica::on(node_id from, const submission& msg, out& o) {
  propose fresh;
  outcomes known;
  if (differs_) {
    for (const auto& c : msg.commands)
      known.list.push_back({c.id, errc::state_differs, {}});
    o.send_now(from, std::move(known));
    return;
  }
  for (const auto& c : msg.commands)
    if (expect(c, {from}, known.list))
      fresh.commands.push_back(c);
  // send_now, here and below: a request reveals nothing, and an executed batch is durable on a majority
  // already.
  if (!known.list.empty())
    o.send_now(from, std::move(known));
  if (!fresh.commands.empty())
    o.send_now(setup_.self, std::move(fresh));
}

void replica::on(node_id from, const client_submission& msg, out& o) {
  propose fresh;
  client_outcomes known;
  for (const auto& c : msg.commands) {
    const auto full =
        clients_waiting_ >= limits::client_commands_max || clients_bytes_ >= limits::client_bytes_max;
    if (differs_)
      known.list.push_back({c.id, errc::state_differs, {}});
    else if (full && !waiting_.contains(c.id))
      known.list.push_back({c.id, errc::overloaded, {}});
    else if (expect(c, {from, true, c.size()}, known.list))
      fresh.commands.push_back(c);
  }
  if (!known.list.empty())
    o.send_now(from, std::move(known));
  if (!fresh.commands.empty())
    o.send_now(setup_.self, std::move(fresh));
}

void replica::on(node_id from, const withdraw& msg, out& o) {
  const token id{++questions_};
  withdrawing_[id] = {from, msg.id};
  o.send_now(setup_.self, take_back{msg.ids, id});
}

void replica::on(node_id, const not_ordered& msg, out& o) {
  const auto asked = withdrawing_.find(msg.id);
  if (asked == withdrawing_.end())
    return;
  for (const auto& id : msg.ids)
    if (const auto one = waiting_.find(id); one != waiting_.end())
      forget_waiter(one);
  o.send_now(asked->second.from, withdrawn{msg.ids, asked->second.id});
  withdrawing_.erase(asked);
}

void replica::on(node_id, const delivered& msg, out& o) {
  // What was under way when a fast-forward overtook it has been applied already.
  if (msg.generation != generation_) {
    rare(o, "replica: is delivered what a fast-forward has overtaken");
    return;
  }
  take_in(msg.value, setup_.epoch, msg.at, o);
}

void replica::take_in(const batch& value, epoch_id epoch, cursor at, out& o) {
  const auto index = next();
  auto results = executor_.apply(value.body.view(), epoch, at);
  log_.append({epoch, at, value.body.size()});
  bytes_since_flush_ += value.body.size();
  o.save_lazy(log_rows::key(index), log_rows::value(epoch, at), batch_ref{value.id, value.body});
  agreement_.own(next(), executor_.point().state_hash);
  answer(std::move(results), o);
}

void replica::answer(std::vector<outcome> results, out& o) {
  std::map<node_id, outcomes> by_edge;
  client_outcomes of_clients;
  for (auto& r : results) {
    const auto waiter = waiting_.find(r.id);
    if (waiter == waiting_.end())
      continue;
    if (waiter->second.client)
      of_clients.list.push_back(std::move(r));
    else
      by_edge[waiter->second.node].list.push_back(std::move(r));
    forget_waiter(waiter);
  }
  if (!of_clients.list.empty())
    o.send_now(setup_.self, std::move(of_clients));
  for (auto& [edge, list] : by_edge)
    o.send_now(edge, std::move(list));
}

void replica::answer_from_sessions(out& o) {
  std::vector<outcome> results;
  for (const auto& [id, who] : waiting_) {
    if (const auto* done = executor_.open_sessions().find(id))
      results.push_back({id, done->code, payload{done->body}});
    else if (!executor_.open_sessions().is_open(id))
      // Its session was opened or closed within the snapshot: whether it was executed there nobody can say.
      results.push_back(
          {id, errc::unknown_outcome, payload{"this node has skipped the place where it may stand"}});
  }
  answer(std::move(results), o);
}

// --- reads
// -----------------------------------------------------------------------------------------------------

void replica::on(node_id, const queries& msg, out& o) {
  // The edge has heard why, or will, and answers them.
  if (differs_)
    return;
  std::vector<query> local;
  for (const auto& q : msg.list)
    if (q.linearizable)
      reads_.add(q);
    else
      local.push_back(q);
  run_queries(std::move(local), o);
  ask_for_barrier(reads_.open(o.now()), o);
}

void replica::on(node_id, const drop_queries& msg, out& o) {
  const auto closed = reads_.drop(msg.ids);
  if (!closed)
    return;
  // A question for those that came later says as much.
  const auto next = reads_.open(o.now());
  ask_for_barrier(next ? next : closed, o);
}

void replica::ask_for_barrier(const std::optional<barrier>& wanted, out& o) {
  if (wanted)
    o.send_now(setup_.self, barrier{*wanted});
}

void replica::on(node_id, const reached& msg, out& o) {
  run_queries(reads_.reached(msg.id), o);
  ask_for_barrier(reads_.open(o.now()), o);
}

void replica::run_queries(std::vector<query> list, out& o) {
  if (list.empty())
    return;
  o.send_now(setup_.self, read_job{setup_.state->view(), next(), std::move(list)});
}

// --- keeping each other informed
// -------------------------------------------------------------------------------

void replica::on(timer_tag, out& o) {
  o.set_timer(tick, setup_.timings.applied_every);
  flush_when_due(o);
  compare_states(o);
  tell_applied(o);
  trim(o);
  tell_node(o);
  // The learner may have lost it while it was being started: asking again for an open one is harmless.
  ask_for_barrier(reads_.overdue(o.now(), setup_.timings.barrier_again), o);
  if (next() != progress_) {
    progress_ = next();
    progress_at_ = o.now();
  }
  const auto behind = std::any_of(applied_.begin(), applied_.end(), [&](auto& x) {
    return x.second > next() && !quarantined_.contains(x.first);
  });
  if (!behind) {
    progress_at_ = o.now();
    return;
  }
  if (batches_arrive())
    arrived_at_ = std::min(o.now(), progress_at_ + batches_arrive_for);
  if (o.now() - std::max(progress_at_, arrived_at_) >= stuck_after) {
    progress_at_ = o.now();
    ask_for_sync(o);
  }
}

bool replica::batches_arrive() const {
  return std::ranges::any_of(
      setup_.members, [&](const member& m) { return m.id != setup_.self && setup_.account->arriving(m.id); });
}

void replica::tell_applied(out& o) {
  const auto news = next() > marked_ || told_ != next();
  if (!news && o.now() - told_at_ < 1s)
    return;
  wire::Applied msg;
  msg.set_next(next().value);
  msg.set_state_hash(executor_.point().state_hash);
  msg.set_first(log_.first().value);
  // The save makes every lazy save before it durable; the message, to ourselves too, leaves only then.
  if (next() > marked_)
    o.save(std::string{mark_key}, ordered_key(next().value));
  marked_ = next();
  tell_state(msg);
  told_ = next();
  told_at_ = o.now();
  auto everyone = others();
  everyone.push_back(setup_.self);
  o.send(everyone, std::move(msg));
}

void replica::on(node_id from, const wire::Applied& msg, out& o) {
  applied_[from] = log_index{msg.next()};
  auto& durable = durable_[from];
  durable = msg.quarantined() ? log_index{msg.durable()} : std::max(durable, log_index{msg.durable()});
  if (from == setup_.self)
    return;
  if (msg.quarantined())
    quarantined_.insert(from);
  else
    quarantined_.erase(from);
  hear_state(from, msg);
  compare_states(o);
  if (msg.next() > next().value + far_behind_ && progress_ == next() && !msg.quarantined()) {
    rare(o, "replica: is far behind");
    ask_for_sync(o);
  }
}

void replica::trim(out& o) {
  const auto forgettable = log_.forgettable(durable_);
  if (forgettable > forgotten_ && forgettable > log_.first() && forgettable <= log_.next()) {
    const auto& last = log_.at(log_index{forgettable.value - 1});
    forgotten_ = forgettable;
    if (last.epoch == setup_.epoch)
      o.send_now(setup_.self, forget{last.at});
  }
  const auto droppable = log_.droppable(setup_.state->flushed().value_or(log_index{0}), durable_);
  if (droppable > log_.first()) {
    o.erase(log_rows::key(log_.first()), log_rows::key(droppable));
    log_.drop_below(droppable);
  }
}

void replica::flush_when_due(out& o) {
  const auto flushed = setup_.state->flushed().value_or(log_index{0});
  const auto much =
      next().value - flushed.value >= std::min(flush_after_batches, setup_.limits.entries_max) ||
      bytes_since_flush_ >= std::min<std::uint64_t>(flush_after_bytes, setup_.limits.bytes_max);
  const auto late = next() > flushed && o.now() - flush_asked_at_ >= setup_.timings.flush_every;
  // One at a time, unless it has not come back for long.
  if ((much && flushed >= flush_asked_) || late) {
    flush_asked_ = next();
    flush_asked_at_ = o.now();
    bytes_since_flush_ = 0;
    setup_.state->start_flush();
  }
}

void replica::tell_node(out& o) {
  replica_figures figures;
  figures.next = next().value;
  figures.durable = durable_[setup_.self].value;
  figures.log_first = log_.first().value;
  figures.waiting = waiting_.size();
  figures.sessions = executor_.open_sessions().size();
  figures.divergences = agreement_.differing().size();
  if (differs_)
    figures.quarantine = why_quarantined();
  figures.not_served_by = quarantined_;
  figures.state_hash = executor_.point().state_hash;
  for (const auto n : others())
    figures.others[n] = applied_[n].value;
  o.send_now(setup_.self, std::move(figures));
  o.send_now(setup_.self, replica_load{waiting_.size(), differs_.has_value()});
}

}  // namespace quorate
