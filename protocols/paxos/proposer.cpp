#include "protocols/paxos/proposer.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"

#include <algorithm>
#include <set>

namespace quorate::paxos {

namespace {

constexpr timer_tag tick_timer{1};
constexpr std::string_view ceiling_key = "r";

}  // namespace

proposer::proposer(const protocol_context& context) : proposer(context, majority{context.members.size()}) {}

proposer::proposer(const protocol_context& context, majority quorum)
    : self_(context.self), boot_(context.boot), members_(context.ids()), quorum_(quorum),
      account_(context.account), next_free_(context.start.value + 1) {
  const auto wrong = read_options(context.options, options_);
  ENSURE(!wrong, wrong->message);
}

void proposer::recover(const journal_view& saved) {
  if (const auto row = saved.get(ceiling_key)) {
    byte_reader in{*row};
    ceiling_ = in.little<std::uint64_t>();
    ENSURE(in.ok() && in.at_end(), "paxos proposer: the saved ceiling of rounds cannot be read");
    // Any round below may have been used.
    next_round_ = ceiling_;
  }
}

void proposer::start(out&) {}

void proposer::on(node_id, const propose& msg, out& o) {
  for (const auto& c : msg.commands) {
    queue_bytes_ += c.size();
    queue_.push_back({c, false});
  }
  fill_window(o);
}

void proposer::on(node_id from, const take_back& msg, out& o) {
  std::set<command_id> asked(msg.ids.begin(), msg.ids.end());
  // The same command may have been proposed twice: one copy that has left speaks for all.
  for (const auto& [s, a] : attempts_)
    for (const auto& q : a.commands)
      asked.erase(q.what.id);
  for (const auto& q : queue_)
    if (q.in_doubt)
      asked.erase(q.what.id);
  not_ordered answer;
  answer.id = msg.id;
  std::erase_if(queue_, [&](const queued& q) {
    if (!asked.contains(q.what.id))
      return false;
    queue_bytes_ -= q.what.size();
    answer.ids.push_back(q.what.id);
    return true;
  });
  // Holds without anything on the disk, since a restart forgets the queue: a slow sync must not delay it.
  o.send_now(from, std::move(answer));
}

// --- the two phases
// ----------------------------------------------------------------------------------------------

ballot proposer::next_ballot(out& o) {
  const auto round = next_round_++;
  if (round >= ceiling_) {
    ceiling_ = round + rounds_reserved;
    std::string row;
    put_little(row, ceiling_);
    o.save(std::string{ceiling_key}, std::move(row));
  }
  return {round, self_};
}

void proposer::prepare(slot s, attempt& a, out& o) {
  a.at = next_ballot(o);
  a.now = phase::preparing;
  a.promises.clear();
  a.best.reset();
  a.retry_at.reset();
  a.silence = options_.resend_after;
  a.repeat_at = o.now() + a.silence;
  send_prepare(s, a, o);
  arm(o);
}

void proposer::send_prepare(slot s, const attempt& a, out& o) {
  std::vector<node_id> silent;
  for (const auto m : members_)
    if (!a.promises.has(m))
      silent.push_back(m);
  Prepare msg;
  msg.set_slot(s);
  to_wire(a.at, msg.mutable_ballot());
  // Waits for the ceiling: a ballot that a restart would use again must not be heard of.
  o.send(silent, std::move(msg));
}

void proposer::on(node_id from, const with_payload<Promise>& msg, out& o) {
  heard_of(msg.head.highest_used());
  const auto s = msg.head.slot();
  const auto found = attempts_.find(s);
  // Only the very ballot counts: an older one's promises say nothing about what was voted for since.
  if (found == attempts_.end() || found->second.now != phase::preparing ||
      found->second.at != quorate::from_wire(msg.head.ballot()))
    return;
  auto& a = found->second;
  if (msg.head.has_voted()) {
    found_vote vote{quorate::from_wire(msg.head.voted()), from_wire(msg.head.value(), msg.body)};
    if (!vote.what.complete())
      return;
    // Equal ballots carry equal values: either will do.
    if (!a.best || vote.at > a.best->at)
      a.best = std::move(vote);
  }
  a.promises.add(from);
  if (quorum_.reached(a.promises.size()))
    propose_value(s, a, o);
  fill_window(o);
}

void proposer::propose_value(slot s, attempt& a, out& o) {
  if (a.best)
    a.proposed = a.best->what;  // it may be chosen already: no other value is safe
  else if (a.own)
    a.proposed = *a.own;
  else
    a.proposed = form_batch(a);
  a.now = phase::accepting;
  a.retry_at.reset();
  a.silence = options_.resend_after;
  a.repeat_at = o.now() + a.silence;
  a.gate = {};
  send_accept(s, a, members_, o);
}

void proposer::send_accept(slot s, const attempt& a, const std::vector<node_id>& to, out& o) {
  with_payload<Accept> msg{{}, a.proposed.body};
  msg.head.set_slot(s);
  to_wire(a.at, msg.head.mutable_ballot());
  to_wire(a.proposed, msg.head.mutable_value());
  // Its ballot was durable before the Prepare that it follows.
  o.send_now(to, std::move(msg));
}

value proposer::form_batch(attempt& a) {
  const batch_id id{self_, boot_, ++batches_};
  if (queue_.empty())
    return {id, true, {}};
  std::vector<command> list;
  std::size_t bytes = 0;
  while (!queue_.empty() && list.size() < limits::batch_commands_max) {
    const auto size = queue_.front().what.size();
    if (!list.empty() && bytes + size > limits::batch_bytes_max)
      break;
    bytes += size;
    list.push_back(queue_.front().what);
    a.commands.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_bytes_ -= bytes;
  a.own = value{id, false, encode_commands(list)};
  return *a.own;
}

void proposer::on(node_id, const Nack& msg, out& o) {
  heard_of(msg.highest_used());
  const auto promised = quorate::from_wire(msg.promised());
  next_round_ = std::max(next_round_, promised.round + 1);
  const auto found = attempts_.find(msg.slot());
  if (found == attempts_.end() || found->second.at != quorate::from_wire(msg.ballot()))
    return;
  auto& a = found->second;
  o.note(severity::debug,
         "slot " + std::to_string(msg.slot()) + ": " + text(a.at) + " is below " + text(promised));
  if (!a.stays()) {
    attempts_.erase(found);
    fill_window(o);
    return;
  }
  if (a.retry_at)
    return;
  // The other proposer is given time to finish; the random part ends duels. This ballot may still get
  // through.
  const auto shortest = std::min(retry_after * (1U << std::min(a.retries, 10U)), retry_max * 2 / 5);
  const auto wait = static_cast<std::uint64_t>(shortest.count());
  a.retry_at = o.now() + duration{o.prng().between(wait, wait * 5 / 2)};
  ++a.retries;
  arm(o);
}

void proposer::on(timer_tag, out& o) {
  armed_ = false;
  for (auto& [s, a] : attempts_) {
    if (a.retry_at && *a.retry_at <= o.now()) {
      prepare(s, a, o);
    } else if (a.repeat_at <= o.now()) {
      a.silence = std::min(a.silence * 2, silence_max);
      a.repeat_at = o.now() + a.silence;
      if (a.now == phase::preparing) {
        send_prepare(s, a, o);
        continue;
      }
      if (const auto again = a.gate.open_to(*account_, members_); !again.empty())
        send_accept(s, a, again, o);
    }
  }
  arm(o);
}

void proposer::arm(out& o) {
  if (armed_ || attempts_.empty())
    return;
  armed_ = true;
  o.set_timer(tick_timer, tick);
}

// --- which slots
// -------------------------------------------------------------------------------------------------

void proposer::fill_window(out& o) {
  std::size_t open = 0;
  std::size_t room_bytes = 0;  // for waiting commands, in slots that are still being prepared
  std::size_t room_commands = 0;
  for (const auto& [s, a] : attempts_) {
    if (a.takeover)
      continue;
    ++open;
    if (a.now == phase::preparing && !a.own) {
      room_bytes += limits::batch_bytes_max;
      room_commands += limits::batch_commands_max;
    }
  }
  // One slot is prepared at a time, unless more wait than one batch can take: what comes meanwhile joins it.
  while (open < options_.window && (queue_bytes_ > room_bytes || queue_.size() > room_commands)) {
    const auto s = next_free_++;
    prepare(s, attempts_[s], o);
    ++open;
    room_bytes += limits::batch_bytes_max;
    room_commands += limits::batch_commands_max;
  }
}

void proposer::heard_of(slot s) {
  next_free_ = std::max(next_free_, s + 1);
}

void proposer::on(node_id from, const InUse& msg, out&) {
  if (from == self_)
    heard_of(msg.slot());
}

void proposer::on(node_id from, const Takeover& msg, out& o) {
  if (from != self_)
    return;
  const auto s = msg.slot();
  heard_of(s);
  const auto [it, fresh] = attempts_.try_emplace(s);
  auto& a = it->second;
  if (a.takeover)
    return;
  a.takeover = true;
  if (!fresh)
    return;
  o.note(severity::debug, "takes over slot " + std::to_string(s));
  prepare(s, a, o);
}

void proposer::on(node_id from, const Decided& msg, out& o) {
  if (from != self_)
    return;
  heard_of(msg.slot());
  const auto found = attempts_.find(msg.slot());
  if (found == attempts_.end())
    return;
  auto& a = found->second;
  if (a.own && a.own->id != quorate::from_wire(msg.value().id()))
    put_back(a, false);
  attempts_.erase(found);
  fill_window(o);
}

void proposer::on(node_id from, const Advanced& msg, out& o) {
  if (from != self_)
    return;
  heard_of(msg.slot());
  while (!attempts_.empty() && attempts_.begin()->first <= msg.slot()) {
    // What became of our batch cannot be known any more: it is proposed again, sessions remove the repeat.
    put_back(attempts_.begin()->second, true);
    attempts_.erase(attempts_.begin());
  }
  fill_window(o);
}

void proposer::put_back(attempt& a, bool in_doubt) {
  for (auto it = a.commands.rbegin(); it != a.commands.rend(); ++it) {
    queue_bytes_ += it->what.size();
    it->in_doubt = it->in_doubt || in_doubt;
    queue_.push_front(std::move(*it));
  }
  a.commands.clear();
}

}  // namespace quorate::paxos
