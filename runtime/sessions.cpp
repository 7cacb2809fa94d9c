#include "runtime/sessions.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/store_keys.hpp"

namespace quorate {

session_id sessions::open(log_index index, std::size_t position) {
  const session_id id{(index.value + 1) * limits::batch_commands_max + position};
  ENSURE(!open_.contains(id), "session " + std::to_string(id.value) + " opened twice");
  open_[id].used = index;
  touched_.insert(id);
  if (open_.size() > open_max_)
    evict();
  return id;
}

void sessions::evict() {
  // By log position, never by time: every replica must choose the same one.
  auto oldest = open_.begin();
  for (auto i = open_.begin(); i != open_.end(); ++i)
    if (i->second.used < oldest->second.used)
      oldest = i;
  for (const auto& s : oldest->second.slots)
    drop(s);
  touched_.erase(oldest->first);
  closed_.insert(oldest->first);
  open_.erase(oldest);
}

void sessions::drop(const slot& s) {
  if (s.what != slot::state::done)
    return;
  const auto live = live_.find(s.record);
  if (live != live_.end() && --live->second == 0) {
    emptied_.push_back(s.record);
    live_.erase(live);
  }
}

void sessions::raise_low(session& s, std::uint64_t low) {
  if (low <= s.low)
    return;
  const auto gone = low - s.low;
  if (gone >= s.slots.size()) {
    for (const auto& old : s.slots)
      drop(old);
    s.slots.clear();
  } else {
    for (std::uint64_t i = 0; i < gone; ++i) {
      drop(s.slots.front());
      s.slots.pop_front();
    }
  }
  s.low = low;
}

sessions::verdict sessions::check(const command_view& command, log_index index) {
  const auto found = open_.find(command.id.session);
  if (found == open_.end())
    return verdict::refuse;
  auto& s = found->second;
  const auto number = command.id.number.value;
  s.used = index;
  touched_.insert(found->first);
  raise_low(s, command.done_below);
  if (number >= s.low && number - s.low >= window_)
    raise_low(s, number - window_ + 1);
  if (number < s.low)
    return verdict::refuse;
  const auto offset = number - s.low;
  if (offset >= s.slots.size())
    s.slots.resize(offset + 1);
  auto& place = s.slots[offset];
  switch (place.what) {
  case slot::state::running:
    return verdict::running;
  case slot::state::done:
    return verdict::repeat;
  case slot::state::empty:
    place.what = slot::state::running;
    return verdict::execute;
  }
  return verdict::refuse;
}

void sessions::record(const command_id& id, log_index index, stored_outcome result) {
  const auto found = open_.find(id.session);
  // A later command of the same batch may have moved the window past it, or evicted the session.
  if (found == open_.end() || id.number.value < found->second.low)
    return;
  auto& place = found->second.slots.at(id.number.value - found->second.low);
  ENSURE(place.what == slot::state::running, "outcome of " + text(id) + " recorded twice");
  place = {slot::state::done, index, std::move(result)};
  ++live_[index];
  recorded_.push_back(id);
}

const sessions::stored_outcome* sessions::find(const command_id& id) const {
  const auto found = open_.find(id.session);
  if (found == open_.end() || id.number.value < found->second.low)
    return nullptr;
  const auto offset = id.number.value - found->second.low;
  const auto& slots = found->second.slots;
  return offset < slots.size() && slots[offset].what == slot::state::done ? &slots[offset].result : nullptr;
}

bool sessions::is_open(const command_id& id) const {
  const auto found = open_.find(id.session);
  return found != open_.end() && id.number.value >= found->second.low && !find(id);
}

void sessions::save(log_index index, store_batch& writes) {
  for (const auto id : closed_)
    writes.erase(store_keys::of(store_keys::session, id.value));
  for (const auto id : touched_) {
    const auto& s = open_.at(id);
    std::string value;
    put_little(value, s.low);
    put_little(value, s.used.value);
    writes.put(store_keys::of(store_keys::session, id.value), std::move(value));
  }
  // One record per batch, not one per command: the store is written for every batch.
  std::string value;
  for (const auto& id : recorded_) {
    const auto* result = find(id);
    if (!result)
      continue;
    put_little(value, id.session.value);
    put_little(value, id.number.value);
    put_little(value, static_cast<std::uint8_t>(result->code));
    put_little(value, static_cast<std::uint32_t>(result->body.size()));
    value += result->body;
  }
  if (!value.empty())
    writes.put(store_keys::of(store_keys::outcome, index.value), std::move(value));
  for (const auto record : emptied_)
    if (record != index || value.empty())
      writes.erase(store_keys::of(store_keys::outcome, record.value));
  touched_.clear();
  closed_.clear();
  recorded_.clear();
  emptied_.clear();
}

status sessions::load(const store_view& view) {
  open_.clear();
  live_.clear();
  touched_.clear();
  closed_.clear();
  recorded_.clear();
  emptied_.clear();
  bool sound = true;
  view.scan(store_keys::session, store_keys::end_of(store_keys::session),
            [&](std::string_view key, std::string_view value) {
              byte_reader k{key.substr(1)};
              byte_reader v{value};
              session s;
              const session_id id{k.big<std::uint64_t>()};
              s.low = v.little<std::uint64_t>();
              s.used = log_index{v.little<std::uint64_t>()};
              sound = k.ok() && v.ok() && v.at_end();
              if (sound)
                open_.emplace(id, std::move(s));
              return sound;
            });
  view.scan(store_keys::outcome, store_keys::end_of(store_keys::outcome),
            [&](std::string_view key, std::string_view value) {
              byte_reader k{key.substr(1)};
              byte_reader v{value};
              const log_index index{k.big<std::uint64_t>()};
              while (sound && !v.at_end()) {
                const session_id id{v.little<std::uint64_t>()};
                const auto number = v.little<std::uint64_t>();
                const auto code = static_cast<errc>(v.little<std::uint8_t>());
                const auto size = v.little<std::uint32_t>();
                std::string body{v.take(size)};
                sound = k.ok() && v.ok();
                const auto found = open_.find(id);
                // A record lives as long as any of its outcomes; the others' windows may have passed.
                if (!sound || found == open_.end() || number < found->second.low ||
                    number - found->second.low >= window_)
                  continue;
                auto& slots = found->second.slots;
                const auto offset = number - found->second.low;
                if (offset >= slots.size())
                  slots.resize(offset + 1);
                slots[offset] = {slot::state::done, index, {code, std::move(body)}};
                ++live_[index];
              }
              return sound;
            });
  if (!sound)
    return failure{errc::corrupt, "the sessions in the store cannot be read"};
  return std::nullopt;
}

}  // namespace quorate
