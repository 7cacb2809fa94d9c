#include "runtime/segment_journal.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/crc32c.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace quorate {

namespace {

constexpr std::string_view newest_name = "NEWEST";
constexpr std::size_t newest_slot_bytes = 512;  // two slots, written in turn: one is always whole

// The changes in a record.
enum op_kind : std::uint8_t {
  row_op = 1,        // key, value
  batch_row_op = 2,  // key, value, the batch's id
  bytes_op = 3,      // a batch's id and bytes
  erase_op = 4,      // from, to
  oldest_op = 5,     // lives below this are given up
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

failure io_failure(const std::filesystem::path& path, const std::string& what) {
  return {errc::io_failed,
          "the journal's file " + path.string() + " cannot be " + what + ": " + std::strerror(errno)};
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

segment_journal::~segment_journal() {
  if (preparing_.valid())
    preparing_.wait();
}

// --- opening
// ----------------------------------------------------------------------------------------------------

status segment_journal::load(database presence) {
  std::error_code error;
  std::vector<std::filesystem::path> given_up;
  std::filesystem::create_directories(directory_, error);
  if (error)
    return failure{errc::io_failed,
                   "the journal's directory " + directory_.string() + " cannot be made: " + error.message()};
  for (const auto& entry : std::filesystem::directory_iterator{directory_, error}) {
    const auto name = entry.path().filename().string();
    if (name == newest_name)
      continue;
    if (entry.path().extension() != ".segment")
      return failure{errc::corrupt, "the journal's directory " + directory_.string() + " holds " + name +
                                        ", which is not its own"};
    next_name_ = std::max<std::uint64_t>(next_name_, std::strtoull(name.c_str(), nullptr, 10) + 1);
    auto one = segment_file::open(entry.path());
    if (auto* failed = std::get_if<failure>(&one))
      return std::move(*failed);
    auto& found = std::get<file>(one);
    if (!found->used()) {
      // It may never have got its size.
      std::filesystem::remove(entry.path(), error);
      continue;
    }
    const auto number = found->current().number;
    if (!files_.emplace(number, std::move(found)).second)
      return damaged("two of its files have the same life, " + std::to_string(number));
  }
  if (error)
    return failure{errc::io_failed,
                   "the journal's directory " + directory_.string() + " cannot be read: " + error.message()};
  const auto newest = newest_life();
  if (const auto* failed = std::get_if<failure>(&newest))
    return *failed;
  const auto number = std::get<std::uint64_t>(newest);
  if (number == 0 && presence == database::must_exist)
    return damaged("it is missing from " + directory_.string());
  if (number > 0 && (files_.empty() || files_.rbegin()->first < number))
    return damaged("its newest file is missing from " + directory_.string());
  if (number == 0 && !files_.empty() && files_.rbegin()->first > 1)
    return damaged(std::string{newest_name} + " is missing from " + directory_.string());
  // What lies before a gap was given up, and has come back because its removal was not durable;
  // `check_replayed` sees where it was not.
  auto first = files_.end();
  while (first != files_.begin() && (first == files_.end() || std::prev(first)->first + 1 == first->first))
    --first;
  for (auto it = files_.begin(); it != first; it = files_.erase(it))
    given_up.push_back(it->second->path());
  replaying_ = true;
  for (auto it = files_.begin(); it != files_.end(); ++it) {
    next_seq_ = it->second->current().first_seq;
    const auto next = std::next(it);
    if (auto failed =
            replay(it->second,
                   next == files_.end() ? std::nullopt : std::optional{next->second->current().first_seq}))
      return failed;
  }
  replaying_ = false;
  if (auto failed = check_replayed())
    return failed;
  for (const auto& path : given_up)
    std::filesystem::remove(path, error);
  std::erase_if(batches_, [](const auto& entry) { return entry.second.rows == 0; });
  for (const auto& [key, row] : rows_)
    row.home->live_bytes += row_bytes(key, row.value);
  for (const auto& [id, b] : batches_)
    b.home->live_bytes += b.size;
  synced_ = next_seq_;
  // Never behind a tail that was cut: what follows it there must stay what it is, nothing.
  if (auto failed = next_segment(0))
    return failed;
  if (auto failed = give_up_old())
    return failed;
  count();
  return std::nullopt;
}

std::variant<std::uint64_t, failure> segment_journal::newest_life() const {
  const auto path = directory_ / newest_name;
  const auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return std::uint64_t{0};
  if (fd < 0)
    return io_failure(path, "opened");
  std::string bytes(2 * newest_slot_bytes, '\0');
  const auto n = ::pread(fd, bytes.data(), bytes.size(), 0);
  ::close(fd);
  if (n < 0)
    return io_failure(path, "read");
  bytes.resize(static_cast<std::size_t>(n));
  std::uint64_t newest = 0;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    byte_reader in{std::string_view{bytes}.substr(std::min(bytes.size(), slot * newest_slot_bytes))};
    const auto number = in.little<std::uint64_t>();
    std::string plain;
    put_little(plain, number);
    if (in.little<std::uint32_t>() == crc32c(plain) && in.ok())
      newest = std::max(newest, number);
  }
  if (newest == 0)
    return damaged(path.string() + " cannot be read");
  return newest;
}

status segment_journal::save_newest_life(std::uint64_t number) {
  const auto path = directory_ / newest_name;
  const auto fresh = !std::filesystem::exists(path);
  const auto fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0)
    return io_failure(path, "opened");
  std::string slot;
  put_little(slot, number);
  put_little(slot, crc32c(slot));
  slot.resize(newest_slot_bytes, '\0');
  const auto at = static_cast<::off_t>(number % 2 * newest_slot_bytes);
  auto kept = ::pwrite(fd, slot.data(), slot.size(), at) == static_cast<::ssize_t>(slot.size()) &&
              ::fdatasync(fd) == 0;
  ::close(fd);
  if (kept && fresh) {
    const auto directory = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kept = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0)
      ::close(directory);
  }
  if (!kept)
    return io_failure(path, "written");
  return std::nullopt;
}

status segment_journal::replay(const file& from, std::optional<std::uint64_t> until) {
  auto result = from->replay([&](std::size_t at, std::string_view body) { return apply(from, at, body); });
  if (auto* failed = std::get_if<failure>(&result))
    return std::move(*failed);
  const auto& found = std::get<segment_file::replayed>(result);
  next_seq_ = found.next_seq;
  // A file that was followed by another one had been synced to its end, or cut where that one goes on.
  if (until ? next_seq_ < *until : found.damaged_at.has_value())
    return damaged(from->path().string() + " has a record that cannot be read at byte " +
                   std::to_string(from->end()) + ", and whole ones behind it");
  if (until && next_seq_ > *until)
    return damaged(from->path().string() + " goes on where another file begins");
  if (!until)
    torn_bytes_ = found.torn_bytes;
  return std::nullopt;
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
      oldest_ = in.little<std::uint64_t>();
      break;
    default:
      return false;
    }
  }
  return in.ok();
}

status segment_journal::check_replayed() const {
  if (!files_.empty() && files_.begin()->first > oldest_)
    return damaged("its file of life " + std::to_string(oldest_) + " is missing from " + directory_.string());
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
  const auto bytes = std::max(sizes_.segment_bytes,
                              segment_file::header_bytes + segment_file::record_head_bytes + body_bytes);
  auto taken = take_spare(bytes);
  if (auto* failed = std::get_if<failure>(&taken))
    return std::move(*failed);
  auto next = std::move(std::get<file>(taken));
  const auto number = files_.empty() ? oldest_ : files_.rbegin()->first + 1;
  if (auto failed = next->begin({number, next_seq_}))
    return failed;
  if (auto failed = save_newest_life(number))
    return failed;
  head_ = next;
  files_.emplace(number, std::move(next));
  prepare_spare();
  return std::nullopt;
}

segment_file::opened segment_journal::take_spare(std::size_t bytes) {
  const auto fits =
      std::find_if(spares_.begin(), spares_.end(), [&](const file& f) { return f->size() >= bytes; });
  if (fits != spares_.end()) {
    auto one = std::move(*fits);
    spares_.erase(fits);
    return one;
  }
  if (preparing_.valid()) {
    auto prepared = preparing_.get();
    if (auto* one = std::get_if<file>(&prepared)) {
      if ((*one)->size() >= bytes)
        return prepared;
      spares_.push_back(std::move(*one));
    }
    // A disk that was full may have room by now.
  }
  return segment_file::prepare(new_path(), bytes);
}

void segment_journal::prepare_spare() {
  if (!spares_.empty() || preparing_.valid())
    return;
  // Beside the writer: zeros for a whole file take many syncs' time.
  preparing_ = std::async(std::launch::async, [path = new_path(), bytes = sizes_.segment_bytes] {
    return segment_file::prepare(path, bytes);
  });
}

std::filesystem::path segment_journal::new_path() {
  return directory_ / (std::to_string(next_name_++) + ".segment");
}

status segment_journal::give_up_old() {
  while (files_.size() > 2) {
    const auto oldest = files_.begin()->second;
    // What is still wanted of it is written again; while that is much, the file stays.
    if (oldest->live_bytes > std::min(sizes_.segment_bytes, oldest->size()) / 4)
      return std::nullopt;
    std::vector<std::pair<std::string, stored_row>> rows;
    for (const auto& [key, row] : rows_)
      if (row.home == oldest.get())
        rows.emplace_back(key, row);
    std::vector<std::pair<batch_id, std::string>> bodies;
    std::size_t most = 16;
    for (const auto& [key, row] : rows)
      most += 9 + key.size() + row.value.size() + id_bytes;
    for (const auto& [id, b] : batches_) {
      if (b.home != oldest)
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
    {
      const std::lock_guard guard{mutex_};
      buffer_.clear();
      put_little(buffer_, static_cast<std::uint8_t>(oldest_op));
      oldest_ = oldest->current().number + 1;
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
      if (auto failed = write(buffer_, true))
        return failed;
    }
    files_.erase(files_.begin());
    // A reader may still hold it; its blocks are freed with the last owner.
    if (oldest.use_count() == 1 && spares_.size() < sizes_.spares_max &&
        oldest->size() == sizes_.segment_bytes) {
      if (auto failed = oldest->retire())
        return failed;
      spares_.push_back(oldest);
    } else {
      std::error_code ignored;
      std::filesystem::remove(oldest->path(), ignored);
    }
  }
  return std::nullopt;
}

void segment_journal::count() {
  batches_count_.store(batches_.size(), std::memory_order_relaxed);
  std::uint64_t bytes = 0;
  for (const auto& [number, f] : files_)
    bytes += f->size();
  for (const auto& f : spares_)
    bytes += f->size();
  disk_bytes_.store(bytes, std::memory_order_relaxed);
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
