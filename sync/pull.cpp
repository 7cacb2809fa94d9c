#include "sync/pull.hpp"

#include "actors/bytes.hpp"
#include "actors/limits.hpp"
#include "actors/members.hpp"
#include "actors/rare.hpp"

#include <algorithm>

namespace quorate::sync {

namespace {

constexpr timer_tag tick{1};
constexpr int behind_batches_max = 10;  // so many times the silence after which is asked again
constexpr std::uint64_t serving_idle_max_ms = 10'000;
constexpr std::size_t one_piece = 64 * 1024;

/// Keeps a chunk that overtook the one that is wanted. No more can be on their way than there are credits.
template <class Chunk>
void hold(std::map<std::uint64_t, Chunk>& early, std::uint64_t place, const Chunk& chunk, std::size_t max) {
  if (early.size() < max)
    early.emplace(place, chunk);
}

/// The chunk that is wanted now, where it came early; those before it are of no use any more.
template <class Chunk>
std::optional<Chunk> take_early(std::map<std::uint64_t, Chunk>& early, std::uint64_t wanted) {
  early.erase(early.begin(), early.lower_bound(wanted));
  const auto found = early.extract(wanted);
  return found ? std::optional{std::move(found.mapped())} : std::nullopt;
}

}  // namespace

pull::pull(pull_setup setup)
    : setup_(std::move(setup)),
      chunk_bytes_max_(setup_.memory.of("sync.chunk_bytes_max", limits::chunk_bytes_max)),
      chunk_bytes_min_(std::min(one_piece, chunk_bytes_max_)) {}

void pull::start(out& o) {
  o.set_timer(tick, setup_.again);
}

void pull::on(timer_tag, out& o) {
  o.set_timer(tick, setup_.again);
  const std::chrono::milliseconds idle_max{setup_.memory.of("sync.serving_idle_max_ms", serving_idle_max_ms)};
  if (std::erase_if(serving_, [&](const auto& s) { return o.now() - s.second.heard > idle_max; }) > 0)
    rare(o, "sync: gives up one that asks no more");
  for (auto& [peer, s] : serving_)
    if (s.waits && !setup_.account->background_on_its_way(peer)) {
      s.waits = false;
      pump(peer, s, o);
    }
  // While our own replica is at work it is not the peer who is silent.
  if (!getting_ || getting_->with_replica > 0 || o.now() - getting_->heard < setup_.again)
    return;
  // Nor where a chunk is longer on its way.
  if (setup_.account->arriving_in_background(getting_->peers[getting_->peer])) {
    getting_->heard = o.now();
    return;
  }
  // Nor where it waits behind batches for the same link.
  if (setup_.account->arriving(getting_->peers[getting_->peer]) &&
      o.now() - getting_->heard < setup_.again * behind_batches_max)
    return;
  // Once of the same peer, since only an answer may be lost; then of the next one, from the beginning.
  if (++getting_->silences > 1) {
    rare(o, "sync: gives up a peer that is silent");
    getting_->silences = 0;
    getting_->peer = (getting_->peer + 1) % getting_->peers.size();
    begin_anew(*getting_);
  } else if (getting_->snapshot && getting_->part > 0) {
    rare(o, "sync: asks for the rest of a snapshot");
  }
  ask(o);
}

void pull::on(node_id, const catch_up& msg, out& o) {
  if (getting_)
    return;
  transfer t;
  t.peers = msg.ahead;
  for (const auto& m : setup_.members)
    if (m.id != setup_.self && std::find(t.peers.begin(), t.peers.end(), m.id) == t.peers.end())
      t.peers.push_back(m.id);
  if (t.peers.empty())
    return;
  // Where nothing long has come from there yet, all is supposed to be quick.
  const auto quick = is_quick(std::max(setup_.account->transfer(t.peers.front()),
                                       setup_.account->transfer_in_background(t.peers.front())));
  t.window = quick ? credits_max : 1;
  t.chunk_bytes = quick ? chunk_bytes_max_ : chunk_bytes_min_;
  begin_anew(t);
  t.next = t.applied = msg.next;
  getting_ = std::move(t);
  o.note(severity::info, "asks " + name_of(getting_->peers.front(), setup_.members) +
                             " for everything from index " + std::to_string(msg.next.value));
  ask(o);
}

void pull::begin_anew(transfer& t) {
  t.id = token{(setup_.boot.value << 24) | ++transfers_};
  t.snapshot = t.staged = false;
  t.part_bytes = t.chunk_bytes;
  t.part = 0;
  t.early_entries.clear();
  t.early_parts.clear();
}

void pull::ask(out& o) {
  auto& t = *getting_;
  t.heard = o.now();
  t.next = t.applied;
  wire::Pull msg;
  msg.set_token(t.id.value);
  msg.set_from(t.applied.value);
  t.under_way = t.window;
  msg.set_credits(t.window);
  msg.set_bytes(t.chunk_bytes);
  msg.set_part_bytes(t.part_bytes);
  msg.set_part(t.snapshot ? t.part : 0);
  o.send(t.peers[t.peer], std::move(msg));
}

void pull::pace(transfer& t, node_id from) const {
  t.silences = 0;
  t.under_way -= std::min(t.under_way, 1U);
  const auto took = setup_.account->transfer_in_background(from);
  if (is_quick(took)) {
    t.chunk_bytes = std::min(t.chunk_bytes * 2, chunk_bytes_max_);
    t.window = std::min(t.window + 1, credits_max);
  } else if (took > setup_.again) {
    t.chunk_bytes = std::max(t.chunk_bytes / 2, chunk_bytes_min_);
    t.window = 1;
  }
}

bool pull::is_quick(duration transfer) const {
  return transfer <= setup_.again / 4;
}

void pull::give_credit(out& o) {
  auto& t = *getting_;
  const auto busy = t.under_way + t.with_replica;
  if (busy >= t.window)
    return;
  wire::Credit credit;
  credit.set_token(t.id.value);
  credit.set_chunks(t.window - busy);
  credit.set_bytes(t.chunk_bytes);
  t.under_way = t.window - t.with_replica;
  o.send(t.peers[t.peer], std::move(credit));
}

void pull::on(node_id from, const with_payload<wire::Entries>& msg, out& o) {
  if (!getting_ || getting_->id.value != msg.head.token() || getting_->peers[getting_->peer] != from)
    return;
  auto& t = *getting_;
  // Behind a lost chunk nothing fits: the silence that follows makes us ask again.
  if (msg.head.from() > t.next.value) {
    rare(o, "sync: holds entries that came early");
    hold(t.early_entries, msg.head.from(), msg, credits_max);
  }
  if (msg.head.from() != t.next.value)
    return;
  take_entries(from, msg, o);
  while (const auto next = take_early(t.early_entries, t.next.value))
    take_entries(from, *next, o);
}

void pull::take_entries(node_id from, const with_payload<wire::Entries>& msg, out& o) {
  auto& t = *getting_;
  if (checksum(msg.body) != msg.head.checksum()) {
    o.note(severity::warning, "a chunk of log entries from " + name_of(from, setup_.members) + " is damaged");
    return;
  }
  apply_entries entries;
  entries.transfer = t.id;
  entries.from = t.next;
  auto rest = msg.body.view();
  for (const auto& head : msg.head.heads()) {
    if (head.bytes() > rest.size())
      return;
    batch value{{node_id{head.batch().node()}, boot_id{head.batch().boot()}, head.batch().number()},
                msg.body.slice(rest.substr(0, head.bytes()))};
    rest.remove_prefix(head.bytes());
    entries.entries.push_back({epoch_id{head.epoch()}, cursor{head.cursor()}, std::move(value)});
  }
  t.heard = o.now();
  pace(t, from);
  t.next = log_index{t.next.value + entries.entries.size()};
  t.end = log_index{msg.head.end()};
  ++t.with_replica;
  o.send(setup_.self, std::move(entries));
}

void pull::on(node_id from, const with_payload<wire::SnapshotPart>& msg, out& o) {
  if (!getting_ || getting_->id.value != msg.head.token() || getting_->peers[getting_->peer] != from)
    return;
  auto& t = *getting_;
  if (msg.head.part() > t.part) {
    rare(o, "sync: holds a part of a snapshot that came early");
    hold(t.early_parts, msg.head.part(), msg, credits_max);
  }
  if (msg.head.part() != t.part)
    return;
  take_part(from, msg, o);
  while (const auto next = take_early(t.early_parts, t.part))
    take_part(from, *next, o);
}

void pull::take_part(node_id from, const with_payload<wire::SnapshotPart>& msg, out& o) {
  auto& t = *getting_;
  if (t.staged)
    return;
  // A peer that has lost its view begins over with a newer one. Parts of two views are no state: we wait
  // until the silence makes us begin over, too.
  if (t.part > 0 && msg.head.at() != t.at.value) {
    rare(o, "sync: is sent a part of another snapshot");
    return;
  }
  if (checksum(msg.body) != msg.head.checksum()) {
    o.note(severity::warning, "a part of a snapshot from " + name_of(from, setup_.members) + " is damaged");
    return;
  }
  stage_snapshot stage;
  stage.transfer = t.id;
  stage.part = t.part;
  stage.last = msg.head.last();
  stage.at = log_index{msg.head.at()};
  byte_reader in{msg.body.view()};
  while (!in.at_end()) {
    const auto key_size = in.little<std::uint32_t>();
    std::string key{in.take(key_size)};
    const auto value_size = in.little<std::uint32_t>();
    std::string value{in.take(value_size)};
    if (!in.ok())
      return;
    stage.pairs.emplace_back(std::move(key), std::move(value));
  }
  t.heard = o.now();
  pace(t, from);
  t.snapshot = true;
  t.at = stage.at;
  ++t.part;
  ++t.with_replica;
  t.staged = stage.last;
  o.send(setup_.self, std::move(stage));
}

void pull::on(node_id from, const wire::NothingNewer& msg, out& o) {
  if (!getting_ || getting_->id.value != msg.token() || getting_->peers[getting_->peer] != from)
    return;
  getting_.reset();
  static_cast<void>(o);
}

void pull::on(node_id, const came_to& msg, out& o) {
  if (!getting_ || getting_->id != msg.transfer || getting_->with_replica == 0)
    return;
  auto& t = *getting_;
  t.applied = msg.next;
  t.heard = o.now();
  --t.with_replica;
  if (t.staged) {
    // This may be the answer for an earlier part.
    if (t.with_replica > 0)
      return;
    // The rest of the way by entries.
    begin_anew(t);
    ask(o);
  } else if (!t.snapshot && t.applied >= t.end) {
    o.note(severity::info, "has caught up to index " + std::to_string(t.applied.value));
    getting_.reset();
  } else {
    give_credit(o);
  }
}

}  // namespace quorate::sync
