// What a replica gives to nodes that are behind, and takes from those that are ahead.
#include "runtime/replica.hpp"

#include "actors/ensure.hpp"
#include "actors/last_words.hpp"
#include "actors/rare.hpp"
#include "runtime/log_rows.hpp"

#include <algorithm>

namespace quorate {

void replica::on(node_id, const fell_behind&, out& o) {
  ask_for_sync(o);
}

void replica::ask_for_sync(out& o) {
  catch_up request{next(), {}};
  for (const auto n : others())
    if (applied_[n] > next() && !quarantined_.contains(n))
      request.ahead.push_back(n);
  std::stable_sort(request.ahead.begin(), request.ahead.end(),
                   [&](node_id a, node_id b) { return applied_[a] > applied_[b]; });
  o.send_now(setup_.self, std::move(request));
}

void replica::on(node_id, const fetch_log& msg, out& o) {
  if (differs_)
    return;  // sync has been told
  if (msg.from >= next()) {
    o.send_now(setup_.self, log_part{msg.peer, msg.transfer, msg.from, {}, next()});
  } else if (msg.from < log_.first()) {
    rare(o, "replica: is asked for what its log has lost");
    o.send_now(setup_.self, log_gone{msg.peer, msg.transfer, setup_.state->view(), next()});
  } else {
    const token id{++fetches_};
    fetching_[id] = {msg.peer, msg.transfer, msg.from};
    o.read(id, log_rows::key(msg.from), std::string{log_rows::end},
           std::min(msg.bytes_max, chunk_bytes_max_));
  }
}

void replica::on(journal_rows rows, out& o) {
  const auto asked = fetching_.find(rows.id);
  if (asked == fetching_.end())
    return;
  log_part part{asked->second.peer, asked->second.transfer, asked->second.from, {}, next()};
  fetching_.erase(asked);
  auto expected = part.from;
  if (!rows.complete)
    rare(o, "replica: reads a part of its log");
  for (auto& row : rows.rows) {
    // The log may have been cut, or may not have been written, since the read was asked for.
    if (log_rows::index_of(row) != expected) {
      rare(o, "replica: finds its log cut since a read was asked for");
      break;
    }
    auto entry = log_rows::decode(std::move(row));
    if (!entry)
      end_for("log entry " + std::to_string(expected.value) + " cannot be read");
    part.entries.push_back(std::move(*entry));
    expected = expected.next();
  }
  o.send_now(setup_.self, std::move(part));
}

void replica::on(node_id, const apply_entries& msg, out& o) {
  const auto before = next();
  auto index = msg.from;
  for (const auto& e : msg.entries) {
    if (index > next())
      break;
    if (index == next())
      take_in(e.value, e.epoch, e.at, o);
    index = index.next();
  }
  if (next() > before)
    pass_on(executor_.point().at, o);
  o.send_now(setup_.self, came_to{msg.transfer, next()});
}

void replica::pass_on(cursor at, out& o) {
  ++generation_;
  o.send_now(setup_.self, fast_forward{at, generation_});
  ask_for_barrier(reads_.reopen(o.now()), o);  // a fast-forward voids it
}

void replica::on(node_id, const stage_snapshot& msg, out& o) {
  status failed;
  if (msg.part == 0) {
    if (staging_)
      rare(o, "replica: begins another snapshot before the last one was whole");
    failed = setup_.state->begin_staging();
    staging_ = 0;
  }
  if (!failed && staging_ == msg.part) {
    failed = setup_.state->stage(msg.pairs);
    staging_ = msg.part + 1;
    // Meanwhile the protocol may have brought us past it.
    if (!failed && msg.last && msg.at > next())
      finish_snapshot(msg.at, o);
    else if (!failed && msg.last)
      rare(o, "replica: has got past a snapshot that came");
    if (msg.last)
      staging_.reset();
  }
  ENSURE(!failed, text(setup_.self) + " replica: " + failed->message);
  o.send_now(setup_.self, came_to{msg.transfer, next()});
}

void replica::finish_snapshot(log_index at, out& o) {
  const auto before = next();
  auto failed = setup_.state->finish_staging(at);
  if (!failed)
    failed = executor_.load();
  ENSURE(!failed, text(setup_.self) + " replica: " + failed->message);
  ENSURE(next() == at, text(setup_.self) + " replica: a snapshot of another index than it says");
  rare(o, "replica: takes over a snapshot");
  log_.restart(next());
  o.erase(std::string{log_rows::prefix}, std::string{log_rows::end});
  agreement_.own_replaced();
  agreement_.own(next(), executor_.point().state_hash);
  bytes_since_flush_ = 0;
  o.note(severity::info, "went from index " + std::to_string(before.value) + " to " +
                             std::to_string(at.value) + " by a snapshot");
  answer_from_sessions(o);
  pass_on(executor_.point().at, o);
}

}  // namespace quorate
