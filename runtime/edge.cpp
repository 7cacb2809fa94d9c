#include "runtime/edge.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/limits.hpp"
#include "runtime/opening_nonce.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr timer_tag deadlines{1};
constexpr timer_tag opening{2};
constexpr duration resolution = 5ms;  // of deadlines
constexpr duration open_again = 500ms;
constexpr int answer_patience = 4;  // times the patience with a node, while it sends something long

const payload not_ordered_in_time{"the command could not be ordered by its deadline (is a majority of the "
                                  "members up?); it was not and will "
                                  "not be executed"};
const payload not_read_in_time{
    "the read could not be made sure of by its deadline (is a majority of the members up?)"};
const payload nobody_knows{
    "the deadline has passed; the command may or may not have been executed, and may still be"};
const payload nobody_has_a_majority{
    "neither this node nor any that it reaches hears a majority of the members; the request was not and will not be "
    "executed (with wait=true it waits for its deadline)"};
const payload no_room{
    "fewer than a majority of the members could take a write above the reserve of their disks; the command was not "
    "and will not be executed"};
const payload full{"this node has as many unanswered requests as it may have; the command was not executed"};

}  // namespace

void edge::start(out& o) {
  open_session(o);
  o.set_timer(opening, open_again);
}

void edge::open_session(out& o) {
  command c;
  c.kind = command_kind::open_session;
  // A nonce that no other edge, boot or attempt has.
  c.id = {session_id{0}, sequence{edge_nonce(self_, boot_, openings_)}};
  o.send_now(self_, submission{{std::move(c)}});
}

void edge::reply(client_replies& replies, token id, errc code, payload body) {
  ENSURE(unanswered_ > 0, "a request is answered twice");
  --unanswered_;
  replies.list.push_back({id, code, std::move(body)});
}

void edge::flush(client_replies& replies, node_id self, out& o) {
  // send_now, as everywhere here: an edge saves nothing.
  if (!replies.list.empty())
    o.send_now(self, std::move(replies));
  replies.list.clear();
}

std::pair<errc, payload> edge::judge(const client_request& r) const {
  const auto write = r.kind == request_kind::write;
  // Each kind has room of its own: readers who do not fetch their answers must not stop those who write.
  const auto reads = reads_.size();
  if (write ? unanswered_ - reads > limits_.requests_max || bytes_ + r.body.size() > limits_.bytes_max
            : reads >= limits_.requests_max)
    return {errc::overloaded, full};
  if (write && (r.key.size() > limits::key_bytes_max || r.key.size() + r.body.size() > limits::command_bytes_max))
    return {errc::too_large, payload{"a command may have 512 KiB, its key 4 KiB"}};
  if (r.kind == request_kind::read && may_.majority_lost && !r.wait)
    return {errc::no_quorum, nobody_has_a_majority};
  if (write)
    if (const auto code = may_.verdict(command_class::growing, r.wait); code != errc::ok)
      return {code, code == errc::disk_full ? no_room : nobody_has_a_majority};
  return {errc::ok, {}};
}

void edge::on(node_id, const admission& msg, out&) {
  may_ = msg;
}

void edge::on(node_id, const client_requests& msg, out& o) {
  client_replies refused;
  queries reads;
  for (const auto& r : msg.list) {
    ++unanswered_;
    if (auto [code, why] = judge(r); code != errc::ok) {
      reply(refused, r.id, code, std::move(why));
      continue;
    }
    if (quarantine_) {
      reply(refused, r.id, errc::state_differs, *quarantine_);
      continue;
    }
    const auto deadline = o.now() + r.timeout;
    if (r.kind == request_kind::write) {
      bytes_ += r.body.size();
      write w;
      w.id = r.id;
      w.deadline = deadline;
      w.what.key = r.key;
      w.what.body = r.body;
      queue_.push_back(std::move(w));
    } else {
      const token id{++read_count_};
      const query what{id, r.kind == request_kind::read, r.body, deadline};
      reads_[id] = {r.id, deadline, what};
      reads.list.push_back(what);
    }
  }
  submit(o);
  if (!reads.list.empty())
    o.send_now(self_, std::move(reads));
  flush(refused, self_, o);
  arm(o);
}

void edge::on(node_id, const ready&, out& o) {
  // What was sent before there was a replica has reached nobody.
  if (session_ == session_id{})
    open_session(o);
  queries again;
  for (const auto& [id, r] : reads_)
    again.list.push_back(r.what);
  if (!again.list.empty())
    o.send_now(self_, std::move(again));
}

void edge::submit(out& o) {
  if (session_ == session_id{})
    return;
  std::vector<command> batch;
  while (!queue_.empty() && (submitted_.empty() || next_number_ - submitted_.begin()->first < span_max_)) {
    auto w = std::move(queue_.front());
    queue_.pop_front();
    w.what.id = {session_, sequence{next_number_}};
    w.what.done_below = submitted_.empty() ? next_number_ : submitted_.begin()->first;
    batch.push_back(w.what);
    leave(w, o.now());
    submitted_.emplace(next_number_, std::move(w));
    ++next_number_;
  }
  send(std::move(batch), {}, o);
}

void edge::leave(write& w, time_point now) {
  w.since = now;
  w.now = direct_ ? write::state::handed : write::state::choosing;
  if (!direct_)
    return;
  w.at = self_;
  ++news_.of[self_].taken;
}

void edge::send(std::vector<command>&& commands, const std::vector<node_id>& avoid, out& o) {
  if (commands.empty())
    return;
  if (direct_)
    o.send_now(self_, submission{std::move(commands)});
  else
    o.send_now(self_, route{std::move(commands), avoid});
}

void edge::send_waiting(out& o) {
  std::map<std::vector<node_id>, std::vector<command>> by_others;
  for (auto& [number, w] : submitted_) {
    if (w.now != write::state::waiting)
      continue;
    by_others[w.others].push_back(w.what);
    leave(w, o.now());
  }
  for (auto& [others, commands] : by_others)
    send(std::move(commands), others, o);
}

// --- what becomes of them
// ----------------------------------------------------------------------------------------

edge::writes::iterator edge::find(const command_id& id) {
  return id.session == session_ ? submitted_.find(id.number.value) : submitted_.end();
}

edge::writes::iterator edge::settle(writes::iterator found, std::optional<node_id> by, time_point now) {
  const auto& w = found->second;
  bytes_ -= w.what.body.size();
  if (w.now == write::state::handed) {
    auto& e = news_.of[w.at];
    if (by == w.at) {
      ++e.answered;
      e.waited += now - w.since;
    } else {
      ++e.released;
    }
  }
  return submitted_.erase(found);
}

bool edge::on_its_way(write& w, time_point now) const {
  if (w.what.body.size() <= link_account::short_bytes_max)
    return false;
  if (!w.upto)
    w.upto = account_->handed(w.at);  // it has left by now
  if (!w.taken && account_->taken(w.at, *w.upto))
    w.taken = now;
  // What comes back may be others': it counts for a while only.
  return !w.taken || (account_->arriving(w.at) && now - *w.taken <= limits_.patience * answer_patience);
}

void edge::give_up(write& w, time_point now) {
  if (w.now != write::state::handed)
    return;
  auto& e = news_.of[w.at];
  ++e.failed;
  e.waited += now - w.since;
  w.now = write::state::waiting;
}

void edge::tell_balancer(bool late, out& o) {
  // Where it is not asked, it is not told on the way of a command either.
  if (news_.of.empty() || (direct_ && !late))
    return;
  o.send_now(self_, std::move(news_));
  news_ = {};
}

void edge::on(node_id, const routed& msg, out& o) {
  for (const auto& group : msg.list)
    for (const auto& id : group.ids) {
      const auto found = find(id);
      if (found == submitted_.end()) {
        ++news_.of[group.node].released;  // settled before we heard where it had gone
        continue;
      }
      auto& w = found->second;
      w.now = write::state::handed;
      w.at = group.node;
      w.upto.reset();
      w.taken.reset();
      if (w.at != self_)
        w.others.push_back(w.at);
    }
  for (const auto& id : msg.nowhere)
    if (const auto found = find(id); found != submitted_.end())
      found->second.now = write::state::waiting;
  tell_balancer(false, o);
}

void edge::on(node_id, const route_mode& msg, out& o) {
  tell_balancer(true, o);
  direct_ = msg.direct;
  send_waiting(o);
}

void edge::on(node_id, const route_again&, out& o) {
  send_waiting(o);
}

void edge::on(node_id, const nodes_lost& msg, out& o) {
  for (auto& [number, w] : submitted_)
    if (w.at != self_ && std::find(msg.list.begin(), msg.list.end(), w.at) != msg.list.end())
      give_up(w, o.now());
  send_waiting(o);
  tell_balancer(false, o);
}

void edge::on(node_id, const quarantined& msg, out& o) {
  quarantine_ = msg.why;
  client_replies replies;
  for (const auto& w : queue_) {
    bytes_ -= w.what.body.size();
    reply(replies, w.id, errc::state_differs, msg.why);
  }
  queue_.clear();
  // What is with our replica may have been ordered. What another node has, that one answers; what nobody has
  // yet, it gets.
  for (auto i = submitted_.begin(); i != submitted_.end();) {
    const auto& w = i->second;
    if (w.now == write::state::handed && w.at == self_) {
      reply(replies, w.id, errc::unknown_outcome, nobody_knows);
      i = settle(i, std::nullopt, o.now());
    } else {
      ++i;
    }
  }
  for (const auto& [id, r] : reads_)
    reply(replies, r.id, errc::state_differs, msg.why);
  reads_.clear();
  flush(replies, self_, o);
}

void edge::on(node_id from, const outcomes& msg, out& o) {
  client_replies replies;
  bool expired = false;
  bool elsewhere = false;
  for (const auto& result : msg.list) {
    if (result.id.session == session_id{0}) {
      byte_reader in{result.body.view()};
      const session_id opened{in.little<std::uint64_t>()};
      // After a snapshot nobody may know what became of it: then the timer asks again.
      if (session_ == session_id{} && result.code == errc::ok && in.ok()) {
        session_ = opened;
        next_number_ = 0;
        o.cancel_timer(opening);
        o.note(severity::info, "opened session " + std::to_string(session_.value));
      }
      continue;
    }
    const auto found = find(result.id);
    if (found == submitted_.end())
      continue;
    auto& w = found->second;
    if (result.code == errc::state_differs) {
      // Not ordered by that one, which serves nobody. Another node may take it, unless that was our own.
      if (from != self_) {
        if (w.now == write::state::handed && w.at == from) {
          give_up(w, o.now());
          elsewhere = true;
        }
        continue;
      }
      const auto kept = w.only_at(self_);
      reply(replies, w.id, kept ? errc::state_differs : errc::unknown_outcome,
            kept ? result.body : nobody_knows);
    } else if (result.code != errc::session_expired) {
      reply(replies, w.id, result.code, result.body);
    } else {
      expired = true;
      // Refused, so never executed: it may go again under a new session. But of several copies that one was
      // refused says nothing about the others.
      if (w.only_at(self_))
        queue_again(w);
      else
        reply(replies, w.id, errc::unknown_outcome, nobody_knows);
    }
    settle(found, from, o.now());
  }
  if (expired && session_ != session_id{}) {
    o.note(severity::warning, "session " + std::to_string(session_.value) + " has expired");
    // Those of the old session that are still under way get no answer any more that could be told apart.
    for (auto i = submitted_.begin(); i != submitted_.end(); i = settle(i, std::nullopt, o.now())) {
      if (i->second.now == write::state::waiting && i->second.others.empty())
        queue_again(i->second);
      else
        reply(replies, i->second.id, errc::unknown_outcome, nobody_knows);
    }
    session_ = session_id{};
    ++openings_;
    open_session(o);
    o.set_timer(opening, open_again);
  }
  if (elsewhere)
    send_waiting(o);
  submit(o);
  flush(replies, self_, o);
  tell_balancer(false, o);
}

void edge::queue_again(const write& w) {
  write again;
  again.id = w.id;
  again.deadline = w.deadline;
  again.what = w.what;
  bytes_ += again.what.body.size();
  queue_.push_back(std::move(again));
}

void edge::on(node_id, const query_results& msg, out& o) {
  client_replies replies;
  for (const auto& r : msg.list) {
    const auto found = reads_.find(r.id);
    if (found == reads_.end())
      continue;
    reply(replies, found->second.id, r.code, r.body);
    reads_.erase(found);
  }
  flush(replies, self_, o);
}

void edge::on(node_id, const withdrawn& msg, out& o) {
  const auto asked = withdrawing_.find(msg.id);
  if (asked == withdrawing_.end())
    return;
  const auto ids = std::move(asked->second);
  withdrawing_.erase(asked);
  client_replies replies;
  auto answer = [&](const command_id& id, errc code, const payload& body) {
    const auto found = find(id);
    if (found == submitted_.end())
      return;
    reply(replies, found->second.id, code, body);
    give_up(found->second, o.now());
    settle(found, std::nullopt, o.now());
  };
  for (const auto& id : msg.ids)
    answer(id, errc::no_quorum, not_ordered_in_time);
  for (const auto& id : ids)
    answer(id, errc::unknown_outcome, nobody_knows);
  submit(o);
  flush(replies, self_, o);
  tell_balancer(false, o);
}

void edge::arm(out& o) {
  if (armed_ || (unanswered_ == 0 && news_.of.empty()))
    return;
  armed_ = true;
  o.set_timer(deadlines, resolution);
}

void edge::on(timer_tag tag, out& o) {
  if (tag == deadlines) {
    armed_ = false;
    expire(o);
    tell_balancer(true, o);
    arm(o);
  } else if (tag == opening && session_ == session_id{}) {
    // Before the cluster is founded there is nobody to hear it; the same nonce, so that no second one is
    // opened.
    open_session(o);
    o.set_timer(opening, open_again);
  }
}

void edge::expire_reads(out& o, client_replies& replies) {
  drop_queries dropped;
  for (auto i = reads_.begin(); i != reads_.end();) {
    if (i->second.deadline > o.now()) {
      ++i;
      continue;
    }
    dropped.ids.push_back(i->first);
    reply(replies, i->second.id, errc::no_quorum, not_read_in_time);
    i = reads_.erase(i);
  }
  if (!dropped.ids.empty())
    o.send_now(self_, std::move(dropped));
}

void edge::expire(out& o) {
  client_replies replies;
  for (auto i = queue_.begin(); i != queue_.end();) {
    if (i->deadline > o.now()) {
      ++i;
      continue;
    }
    bytes_ -= i->what.body.size();
    reply(replies, i->id, errc::no_quorum, not_ordered_in_time);
    i = queue_.erase(i);
  }
  withdraw late;
  for (auto i = submitted_.begin(); i != submitted_.end();) {
    auto& w = i->second;
    if (w.deadline > o.now()) {
      const auto patience = limits_.patience * (1U << std::min<std::size_t>(w.others.size(), 17)) / 2;
      if (w.now == write::state::handed && w.at != self_) {
        if (on_its_way(w, o.now()))
          w.moved = o.now();
        else if (o.now() - std::max(w.since, w.moved) >= patience)
          give_up(w, o.now());
      }
      ++i;
    } else if (w.withdrawing || w.now == write::state::choosing) {
      ++i;  // where it goes is told at once, by this very process
    } else if (w.only_at(self_)) {
      w.withdrawing = true;
      late.ids.push_back(w.what.id);
      ++i;
    } else {
      const auto kept = w.others.empty();  // by this edge, all the time
      reply(replies, w.id, kept ? errc::no_quorum : errc::unknown_outcome,
            kept ? not_ordered_in_time : nobody_knows);
      give_up(w, o.now());
      i = settle(i, std::nullopt, o.now());
    }
  }
  send_waiting(o);
  if (!late.ids.empty()) {
    // The replica of this very process always answers.
    late.id = token{++questions_};
    withdrawing_[late.id] = late.ids;
    o.send_now(self_, std::move(late));
  }
  expire_reads(o, replies);
  flush(replies, self_, o);
}

}  // namespace quorate
