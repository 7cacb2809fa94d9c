#include "runtime/segment_journal.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/crc32c.hpp"

#include <algorithm>
#include <limits>

namespace quorate {

namespace {

constexpr std::uint64_t to_the_end = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t spare_segments = 4;  // beyond twice what is wanted, before much is moved to save room
constexpr int large_moves_max = 2;           // at once: each makes the writer wait for a whole file

// The changes in a record.
enum op_kind : std::uint8_t {
  row_op = 1,        // key, value
  batch_row_op = 2,  // key, value, the batch's id
  bytes_op = 3,      // a batch's id and bytes
  erase_op = 4,      // from, to
  oldest_op = 5,     // generations below this are given up
  start_op = 6,      // a random number
};

constexpr std::size_t id_bytes = 4 + 8 + 8;

void put_text(std::string& out, std::string_view text) {
  put_little(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::string_view take_text(byte_reader& in) {
  const auto size = in.little<std::uint32_t>();
  return in.take(size);
}

void put_id(std::string& out, const batch_id& id) {
  put_little(out, id.node.value);
  put_little(out, id.boot.value);
  put_little(out, id.number);
}

batch_id take_id(byte_reader& in) {
  batch_id id;
  id.node = node_id{in.little<std::uint32_t>()};
  id.boot = boot_id{in.little<std::uint64_t>()};
  id.number = in.little<std::uint64_t>();
  return id;
}

// At the most: a batch's bytes may be known already.
std::size_t encoded_size(const journal_op& op) {
  return 9 + op.key.size() + op.value.size() + (op.batch ? id_bytes * 2 + 9 + op.batch->body.size() : 0);
}

std::uint64_t row_bytes(std::string_view key, std::string_view value) {
  return 9 + key.size() + value.size();
}

failure damaged(const std::string& what) {
  return {errc::corrupt, "the journal is damaged: " + what};
}

}  // namespace

segment_journal::opened segment_journal::open(const std::filesystem::path& directory, database presence,
                                              const tuning& sizes) {
  std::unique_ptr<segment_journal> result{new segment_journal{directory, sizes}};
  if (auto failed = result->load(presence))
    return std::move(*failed);
  return result;
}

// --- opening
// ----------------------------------------------------------------------------------------------------

status segment_journal::load(database presence) {
  if (auto failed = directory_.read(presence))
    return failed;
  const auto& files = directory_.files();
  segment_file::replayed last;
  replaying_ = true;
  for (auto it = files.begin(); it != files.end(); ++it) {
    const auto next = std::next(it);
    auto found = replay(it->second, next == files.end() ? to_the_end : next->second->current().first_seq);
    if (auto* failed = std::get_if<failure>(&found))
      return std::move(*failed);
    last = std::get<segment_file::replayed>(found);
  }
  replaying_ = false;
  if (auto failed = check_replayed())
    return directory_.unreadable() ? directory_.unreadable() : failed;
  std::erase_if(batches_, [](const auto& entry) { return entry.second.rows == 0; });
  for (const auto& [key, row] : rows_)
    row.home->live_bytes += row_bytes(key, row.value);
  for (const auto& [id, b] : batches_)
    b.home->live_bytes += b.size;
  // All has been read and is right: from here on, it is written.
  if (auto failed = files.empty() ? next_segment(0) : go_on_behind(last))
    return failed;
  if (auto failed = give_up_old())
    return failed;
  count();
  return std::nullopt;
}

std::variant<segment_file::replayed, failure> segment_journal::replay(const file& from, std::uint64_t until) {
  auto result =
      from->replay(until, [&](std::size_t at, std::string_view body) { return apply(from, at, body); });
  if (const auto* found = std::get_if<segment_file::replayed>(&result)) {
    next_seq_ = found->next_seq;
    // A file that was followed by another one had been synced up to where that one goes on.
    if (until != to_the_end ? next_seq_ != until : found->damaged)
      return damaged(from->path().string() + " has a record that cannot be read at byte " +
                     std::to_string(from->end()) + ", and whole ones behind it");
  }
  return result;
}

status segment_journal::go_on_behind(const segment_file::replayed& found) {
  head_ = directory_.newest();
  synced_ = found.synced;
  if (auto failed = head_->write_again(found.unsynced_at))
    return failed;
  auto drawn = directory_.disk().random_number();
  if (auto* failed = std::get_if<failure>(&drawn))
    return std::move(*failed);
  // Each record knows the one before it: behind this one, no record of an earlier start is the next.
  std::string start;
  put_little(start, static_cast<std::uint8_t>(start_op));
  put_little(start, std::get<std::uint64_t>(drawn));
  const auto fits = head_->room_for(start.size());
  if (fits)
    if (auto failed = write(start, false))
      return failed;
  if (auto failed = head_->sync())
    return failed;
  synced_ = next_seq_;
  if (auto failed = directory_.confirm())
    return failed;
  return fits ? std::nullopt : next_segment(0);
}

bool segment_journal::apply(const file& from, std::size_t at, std::string_view body) {
  byte_reader in{body};
  while (in.ok() && !in.at_end()) {
    switch (in.little<std::uint8_t>()) {
    case row_op: {
      std::string key{take_text(in)};
      put(key, {std::string{take_text(in)}, std::nullopt, from.get()});
      break;
    }
    case batch_row_op: {
      std::string key{take_text(in)};
      std::string value{take_text(in)};
      put(key, {std::move(value), take_id(in), from.get()});
      break;
    }
    case bytes_op: {
      const auto id = take_id(in);
      const auto bytes = take_text(in);
      auto& b = batches_[id];
      b.home = from;
      b.at = at + body.size() - in.left() - bytes.size();
      b.size = static_cast<std::uint32_t>(bytes.size());
      b.sum = crc32c(bytes);
      break;
    }
    case erase_op: {
      const std::string begin{take_text(in)};
      erase(begin, std::string{take_text(in)});
      break;
    }
    case oldest_op:
      oldest_ = std::max(oldest_, in.little<std::uint64_t>());
      break;
    case start_op:
      static_cast<void>(in.little<std::uint64_t>());
      break;
    default:
      return false;
    }
  }
  return in.ok();
}

status segment_journal::check_replayed() const {
  const auto& files = directory_.files();
  if (!files.empty() && files.begin()->first > oldest_)
    return damaged("its file of generation " + std::to_string(oldest_) + " is missing from " +
                   directory_.path().string());
  for (const auto& [key, row] : rows_)
    if (row.batch && !batches_.at(*row.batch).home)
      return damaged("the bytes of batch " + text(*row.batch) + " are missing");
  return std::nullopt;
}

// --- what is in memory
// ------------------------------------------------------------------------------------------

void segment_journal::put(const std::string& key, stored_row row) {
  if (row.batch)
    ++batches_[*row.batch].rows;
  if (!replaying_)
    row.home->live_bytes += row_bytes(key, row.value);
  const auto [known, fresh] = rows_.try_emplace(key);
  if (!fresh) {
    if (!replaying_)
      known->second.home->live_bytes -= row_bytes(key, known->second.value);
    release(known->second);
  }
  known->second = std::move(row);
}

void segment_journal::erase(const std::string& from, const std::string& to) {
  if (from >= to)
    return;
  auto it = rows_.lower_bound(from);
  while (it != rows_.end() && it->first < to) {
    if (!replaying_)
      it->second.home->live_bytes -= row_bytes(it->first, it->second.value);
    release(it->second);
    it = rows_.erase(it);
  }
}

void segment_journal::release(const stored_row& row) {
  if (!row.batch)
    return;
  const auto found = batches_.find(*row.batch);
  ENSURE(found != batches_.end() && found->second.rows > 0,
         "batch " + text(*row.batch) + " is released more often than it was referred to");
  --found->second.rows;
  // A replay may still come to a row that refers to it.
  if (found->second.rows > 0 || replaying_)
    return;
  found->second.home->live_bytes -= found->second.size;
  batches_.erase(found);
}

// --- writing
// ----------------------------------------------------------------------------------------------------

void segment_journal::encode_put(const std::string& key, const std::string& value,
                                 const std::optional<batch_ref>& batch, std::string& out) {
  if (batch && !batches_.contains(batch->id)) {
    put_little(out, static_cast<std::uint8_t>(bytes_op));
    put_id(out, batch->id);
    put_text(out, batch->body.view());
    auto& b = batches_[batch->id];
    b.home = head_;
    b.size = static_cast<std::uint32_t>(batch->body.size());
    b.at = head_->end() + segment_file::record_head_bytes + out.size() - batch->body.size();
    b.sum = crc32c(batch->body.view());
    head_->live_bytes += b.size;
  }
  put_little(out, static_cast<std::uint8_t>(batch ? batch_row_op : row_op));
  put_text(out, key);
  put_text(out, value);
  if (batch)
    put_id(out, batch->id);
}

status segment_journal::commit(std::vector<journal_op> ops, bool sync) {
  if (failed_)
    return failed_;
  std::size_t most = 0;
  for (const auto& op : ops)
    most += encoded_size(op);
  failed_ = make_room(most);
  if (failed_)
    return failed_;
  {
    // Readers see the whole commit, and only when its bytes can be read.
    const std::lock_guard guard{mutex_};
    buffer_.clear();
    for (auto& op : ops) {
      if (op.erase) {
        put_little(buffer_, static_cast<std::uint8_t>(erase_op));
        put_text(buffer_, op.key);
        put_text(buffer_, op.value);
        erase(op.key, op.value);
        continue;
      }
      encode_put(op.key, op.value, op.batch, buffer_);
      put(op.key, {std::move(op.value), op.batch ? std::optional{op.batch->id} : std::nullopt, head_.get()});
    }
    failed_ = write(buffer_, false);
  }
  if (!failed_ && sync) {
    failed_ = head_->sync();
    synced_ = next_seq_;
  }
  count();
  return failed_;
}

status segment_journal::write(std::string_view body, bool sync) {
  if (body.empty())
    return std::nullopt;
  if (auto failed = head_->append(next_seq_, synced_, body))
    return failed;
  ++next_seq_;
  if (!sync)
    return std::nullopt;
  if (auto failed = head_->sync())
    return failed;
  synced_ = next_seq_;
  return std::nullopt;
}

status segment_journal::make_room(std::size_t body_bytes) {
  if (head_->room_for(body_bytes))
    return std::nullopt;
  if (auto failed = next_segment(body_bytes))
    return failed;
  if (auto failed = give_up_old())
    return failed;
  // What was written again may have filled it.
  return head_->room_for(body_bytes) ? std::nullopt : next_segment(body_bytes);
}

status segment_journal::next_segment(std::size_t body_bytes) {
  // The next one says that this one is whole.
  if (head_)
    if (auto failed = head_->sync())
      return failed;
  synced_ = next_seq_;
  const auto bytes = segment_file::header_bytes + segment_file::record_head_bytes + body_bytes;
  if (auto failed = directory_.begin_next(next_seq_, bytes))
    return failed;
  head_ = directory_.newest();
  return std::nullopt;
}

bool segment_journal::crowded() const {
  std::uint64_t live = 0;
  for (const auto& [number, f] : directory_.files())
    live += f->live_bytes;
  return directory_.used_bytes() > 2 * live + spare_segments * sizes_.segment_bytes;
}

status segment_journal::give_up_old() {
  const auto& files = directory_.files();
  for (auto large_moves = 0; files.size() > 2;) {
    const auto& oldest = *files.begin()->second;
    // What is still wanted of it is written again. While that is much the file stays, but not for ever: those
    // behind it, of which nothing may be wanted, have to wait for it.
    if (oldest.live_bytes > std::min(sizes_.segment_bytes, oldest.size()) / 4 &&
        (!crowded() || ++large_moves > large_moves_max))
      return std::nullopt;
    if (auto failed = move_on(oldest))
      return failed;
    if (auto failed = directory_.give_up_oldest())
      return failed;
  }
  return std::nullopt;
}

status segment_journal::move_on(const segment_file& oldest) {
  std::vector<std::pair<std::string, stored_row>> rows;
  for (const auto& [key, row] : rows_)
    if (row.home == &oldest)
      rows.emplace_back(key, row);
  std::vector<std::pair<batch_id, std::string>> bodies;
  std::size_t most = 16;
  for (const auto& [key, row] : rows)
    most += 9 + key.size() + row.value.size() + id_bytes;
  for (const auto& [id, b] : batches_) {
    if (b.home.get() != &oldest)
      continue;
    auto body = body_of(b, id);
    if (auto* failed = std::get_if<failure>(&body))
      return std::move(*failed);
    most += 5 + id_bytes + b.size;
    bodies.emplace_back(id, std::move(std::get<std::string>(body)));
  }
  if (!head_->room_for(most))
    if (auto failed = next_segment(most))
      return failed;
  const std::lock_guard guard{mutex_};
  buffer_.clear();
  put_little(buffer_, static_cast<std::uint8_t>(oldest_op));
  oldest_ = std::max(oldest_, oldest.current().number + 1);
  put_little(buffer_, oldest_);
  for (auto& [id, bytes] : bodies) {
    put_little(buffer_, static_cast<std::uint8_t>(bytes_op));
    put_id(buffer_, id);
    put_text(buffer_, bytes);
    auto& b = batches_.at(id);
    b.home = head_;
    b.at = head_->end() + segment_file::record_head_bytes + buffer_.size() - bytes.size();
    head_->live_bytes += b.size;
  }
  for (auto& [key, row] : rows) {
    put_little(buffer_, static_cast<std::uint8_t>(row.batch ? batch_row_op : row_op));
    put_text(buffer_, key);
    put_text(buffer_, row.value);
    if (row.batch)
      put_id(buffer_, *row.batch);
    rows_.at(key).home = head_.get();
    head_->live_bytes += row_bytes(key, row.value);
  }
  return write(buffer_, true);
}

void segment_journal::count() {
  batches_count_.store(batches_.size(), std::memory_order_relaxed);
  disk_bytes_.store(directory_.bytes(), std::memory_order_relaxed);
}

// --- reading
// ----------------------------------------------------------------------------------------------------

std::variant<std::string, failure> segment_journal::body_of(const stored_batch& b, const batch_id& id) {
  std::string bytes;
  if (auto failed = b.home->read(b.at, b.size, bytes))
    return std::move(*failed);
  if (crc32c(bytes) != b.sum)
    return damaged("the bytes of batch " + text(id) + " in " + b.home->path().string() +
                   " are not what was written");
  return bytes;
}

status segment_journal::scan(std::string_view from, std::string_view to,
                             const std::function<bool(journal_row&&)>& row) const {
  struct found_row {
    std::string key;
    std::string value;
    std::optional<batch_id> batch;
    stored_batch place;
  };
  // Rows and places of one moment. The bytes stay where they are while their file has an owner.
  std::vector<found_row> found;
  {
    const std::lock_guard guard{mutex_};
    for (auto it = rows_.lower_bound(from); it != rows_.end() && (to.empty() || it->first < to); ++it) {
      auto& one = found.emplace_back(found_row{it->first, it->second.value, it->second.batch, {}});
      if (one.batch)
        one.place = batches_.at(*one.batch);
    }
  }
  batch_ref last;
  for (auto& one : found) {
    journal_row out{std::move(one.key), std::move(one.value), std::nullopt};
    // Neighbours often share a batch.
    if (one.batch && (last.id != *one.batch || last.body.empty())) {
      auto body = body_of(one.place, *one.batch);
      if (auto* failed = std::get_if<failure>(&body))
        return std::move(*failed);
      last = {*one.batch, payload{std::move(std::get<std::string>(body))}};
    }
    if (one.batch)
      out.batch = last;
    if (!row(std::move(out)))
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace quorate
