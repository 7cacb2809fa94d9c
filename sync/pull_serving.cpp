// The one ahead: what a node sends to those that ask it.
#include "actors/bytes.hpp"
#include "actors/members.hpp"
#include "actors/rare.hpp"
#include "sync/pull.hpp"

#include <algorithm>

namespace quorate::sync {

void pull::on(node_id, const stop_serving&, out&) {
  // Silence makes those who ask turn to another.
  serves_ = false;
  serving_.clear();
}

void pull::on(node_id from, const wire::Pull& msg, out& o) {
  if (!serves_)
    return;
  auto& s = serving_[from];
  const auto resumes = s.id.value == msg.token() && s.view && msg.part() < s.starts.size();
  if (!resumes) {
    s = {};
    s.id = token{msg.token()};
    s.next = log_index{msg.from()};
  } else {
    rare(o, "sync: goes on with a snapshot that was asked for before");
    s.part = msg.part();
  }
  s.credits = std::min(msg.credits(), credits_max);
  s.chunk_bytes = wanted(msg.bytes());
  s.part_bytes = wanted(msg.part_bytes());
  s.heard = o.now();
  // What it asked for before would go twice.
  s.waits = setup_.account->background_on_its_way(from);
  if (!s.waits)
    pump(from, s, o);
}

void pull::on(node_id from, const wire::Credit& msg, out& o) {
  const auto found = serving_.find(from);
  if (found == serving_.end() || found->second.id.value != msg.token())
    return;
  auto& s = found->second;
  s.credits = std::min(s.credits + msg.chunks(), credits_max);
  s.chunk_bytes = wanted(msg.bytes());
  s.heard = o.now();
  if (!s.waits)
    pump(from, s, o);
}

std::size_t pull::wanted(std::uint64_t bytes) const {
  return bytes == 0 ? chunk_bytes_max_ : std::min<std::size_t>(bytes, chunk_bytes_max_);
}

void pull::pump(node_id peer, serving& s, out& o) {
  if (s.view) {
    while (s.credits > 0 && (!s.last || s.part <= *s.last))
      send_part(peer, s, o);
  } else if (s.credits > 0 && !s.fetching) {
    s.fetching = true;
    o.send(setup_.self, fetch_log{peer, s.id, s.next, s.chunk_bytes});
  }
}

void pull::on(node_id, const log_part& msg, out& o) {
  const auto found = serving_.find(msg.peer);
  if (found == serving_.end() || found->second.id != msg.transfer || !found->second.fetching)
    return;
  auto& s = found->second;
  s.fetching = false;
  // Asked again meanwhile, from another place.
  if (s.next != msg.from) {
    rare(o, "sync: is asked from another place while it reads");
    pump(msg.peer, s, o);
    return;
  }
  if (msg.entries.empty()) {
    rare(o, "sync: has nothing newer");
    wire::NothingNewer nothing;
    nothing.set_token(s.id.value);
    serving_.erase(found);
    o.send(msg.peer, std::move(nothing));
    return;
  }
  with_payload<wire::Entries> chunk;
  chunk.head.set_token(s.id.value);
  chunk.head.set_from(msg.from.value);
  chunk.head.set_end(msg.end.value);
  std::string bodies;
  for (const auto& e : msg.entries) {
    auto* head = chunk.head.add_heads();
    head->set_epoch(e.epoch.value);
    head->set_cursor(e.at.value);
    head->mutable_batch()->set_node(e.value.id.node.value);
    head->mutable_batch()->set_boot(e.value.id.boot.value);
    head->mutable_batch()->set_number(e.value.id.number);
    head->set_bytes(static_cast<std::uint32_t>(e.value.body.size()));
    bodies += e.value.body.view();
  }
  chunk.body = payload{std::move(bodies)};
  chunk.head.set_checksum(checksum(chunk.body));
  s.next = log_index{msg.from.value + msg.entries.size()};
  --s.credits;
  const auto done = s.next >= msg.end;
  o.send(msg.peer, std::move(chunk));
  if (done)
    serving_.erase(found);
  else
    pump(msg.peer, s, o);
}

void pull::on(node_id, const log_gone& msg, out& o) {
  const auto found = serving_.find(msg.peer);
  if (found == serving_.end() || found->second.id != msg.transfer || !found->second.fetching)
    return;
  auto& s = found->second;
  s.fetching = false;
  s.view = msg.view;
  s.at = msg.at;
  s.starts = {std::string{}};
  o.note(severity::info, "sends " + name_of(msg.peer, setup_.members) + " a snapshot of index " +
                             std::to_string(msg.at.value));
  pump(msg.peer, s, o);
}

void pull::send_part(node_id peer, serving& s, out& o) {
  std::string bytes;
  std::optional<std::string> next;
  s.view->scan(s.starts[s.part], {}, [&](std::string_view key, std::string_view value) {
    if (!bytes.empty() && bytes.size() + key.size() + value.size() + 8 > s.part_bytes) {
      next = std::string{key};
      return false;
    }
    put_little(bytes, static_cast<std::uint32_t>(key.size()));
    bytes += key;
    put_little(bytes, static_cast<std::uint32_t>(value.size()));
    bytes += value;
    return true;
  });
  with_payload<wire::SnapshotPart> part;
  part.head.set_token(s.id.value);
  part.head.set_part(s.part);
  part.head.set_at(s.at.value);
  part.head.set_last(!next);
  part.body = payload{std::move(bytes)};
  part.head.set_checksum(checksum(part.body));
  if (s.part == 1)
    rare(o, "sync: sends a snapshot of several parts");
  if (!next)
    s.last = s.part;
  else if (s.part + 1 == s.starts.size())
    s.starts.push_back(*next);
  ++s.part;
  --s.credits;
  o.send(peer, std::move(part));
}

}  // namespace quorate::sync
