#include "runtime/sessions.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/store_keys.hpp"

#include <algorithm>

namespace quorate {

session_id sessions::open(log_index index, std::size_t position) {
  const session_id id{(index.value + 1) * limits::batch_commands_max + position};
  ENSURE(!open_.contains(id), "session " + std::to_string(id.value) + " opened twice");
  open_[id].used = index;
  touched_.insert(id);
  if (open_.size() > limits_.open_max)
    evict();
  return id;
}

void sessions::evict() {
  // By log position, never by time: every replica must choose the same one.
  auto oldest = open_.begin();
  for (auto i = open_.begin(); i != open_.end(); ++i)
    if (i->second.used < oldest->second.used)
      oldest = i;
  while (!oldest->second.blocks.empty())
    drop_first_block(oldest->second);
  touched_.erase(oldest->first);
  closed_.insert(oldest->first);
  open_.erase(oldest);
}

void sessions::make_room() {
  while (bytes_ > limits_.bytes_max) {
    const auto most = std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return a.second.bytes < b.second.bytes;
    });
    auto& s = most->second;
    // Half at once, so that the search for who holds most is rare.
    for (const auto target = s.bytes / 2; s.bytes > target;) {
      // From here on the window begins behind the block; behind the last one there is nothing.
      const auto last = s.blocks.begin()->first * block_slots + (block_slots - 1);
      s.low = std::max(s.low, last == UINT64_MAX ? last : last + 1);
      drop_first_block(s);
    }
    touched_.insert(most->first);
  }
}

void sessions::count(session& s, std::ptrdiff_t bytes) {
  s.bytes += static_cast<std::size_t>(bytes);
  bytes_ += static_cast<std::size_t>(bytes);
}

const sessions::slot* sessions::find(const session& s, std::uint64_t number) {
  const auto in = s.blocks.find(number / block_slots);
  return in == s.blocks.end() ? nullptr : &in->second.slots[number % block_slots];
}

/// The slot of a sequence that is or will be held.
sessions::slot& sessions::hold(session& s, std::uint64_t number) {
  const auto [in, fresh] = s.blocks.try_emplace(number / block_slots);
  if (fresh)
    count(s, sizeof(block));
  auto& place = in->second.slots[number % block_slots];
  in->second.held += place.what == slot::state::empty ? 1 : 0;
  return place;
}

/// The slot has an outcome from now on.
void sessions::finish(session& s, slot& place, log_index index, stored_outcome result) {
  count(s, static_cast<std::ptrdiff_t>(result.body.size()));
  place = {slot::state::done, index, std::move(result)};
  ++live_[index];
}

void sessions::drop(session& s, std::map<std::uint64_t, block>::iterator from, std::uint64_t number) {
  auto& place = from->second.slots[number % block_slots];
  if (place.what == slot::state::empty)
    return;
  --from->second.held;
  if (place.what == slot::state::done) {
    count(s, -static_cast<std::ptrdiff_t>(place.result.body.size()));
    const auto live = live_.find(place.record);
    if (live != live_.end() && --live->second == 0) {
      emptied_.push_back(place.record);
      live_.erase(live);
    }
  }
  place = {};
}

void sessions::raise_low(session& s, std::uint64_t low) {
  if (low <= s.low)
    return;
  s.low = low;
  while (!s.blocks.empty() && s.blocks.begin()->first < low / block_slots)
    drop_first_block(s);
  const auto first = s.blocks.begin();
  if (first == s.blocks.end() || first->first > low / block_slots)
    return;
  for (auto n = low / block_slots * block_slots; n < low; ++n)
    drop(s, first, n);
  // An empty one would count as bytes, and no replica that starts again would have it.
  if (first->second.held == 0)
    drop_first_block(s);
}

void sessions::drop_first_block(session& s) {
  const auto first = s.blocks.begin();
  for (std::uint64_t i = 0; i < block_slots; ++i)
    drop(s, first, first->first * block_slots + i);
  count(s, -static_cast<std::ptrdiff_t>(sizeof(block)));
  s.blocks.erase(first);
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
  if (number >= s.low && number - s.low >= limits_.window)
    raise_low(s, number - limits_.window + 1);
  if (number < s.low)
    return verdict::refuse;
  auto& place = hold(s, number);
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
  auto& place = hold(found->second, id.number.value);
  ENSURE(place.what == slot::state::running, "outcome of " + text(id) + " recorded twice");
  finish(found->second, place, index, std::move(result));
  recorded_.push_back(id);
}

const sessions::stored_outcome* sessions::find(const command_id& id) const {
  const auto found = open_.find(id.session);
  if (found == open_.end() || id.number.value < found->second.low)
    return nullptr;
  const auto* place = find(found->second, id.number.value);
  return place != nullptr && place->what == slot::state::done ? &place->result : nullptr;
}

bool sessions::is_open(const command_id& id) const {
  const auto found = open_.find(id.session);
  return found != open_.end() && id.number.value >= found->second.low && !find(id);
}

void sessions::save(log_index index, store_batch& writes) {
  // Only here: until the batch is done with, its outcomes are asked for.
  make_room();
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
  bytes_ = 0;
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
                    number - found->second.low >= limits_.window)
                  continue;
                finish(found->second, hold(found->second, number), index, {code, std::move(body)});
              }
              return sound;
            });
  if (!sound)
    return failure{errc::corrupt, "the sessions in the store cannot be read"};
  return std::nullopt;
}

}  // namespace quorate
