#include "runtime/segment_file.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/crc32c.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace quorate {

namespace {

constexpr std::uint64_t magic_without_format = 0x00676573'65746f71ULL;  // "qoteseg" and the format's digit
constexpr std::uint64_t format = 2;
constexpr std::uint64_t header_magic = magic_without_format | ('0' + format) << 56;
constexpr std::size_t header_summed = 40;
constexpr std::size_t head_summed = 32;
constexpr std::size_t alignment = 8;  // of records, so that a search is fast
constexpr std::size_t copy_bytes = 1u << 20;

std::size_t aligned(std::size_t n) {
  return (n + alignment - 1) / alignment * alignment;
}

// Of what the salt gives to each record: half of it is seen, half of it seeds the checksums. Odd, so that a
// zero is no record.
std::uint32_t mark_of(const segment_file::generation& g) {
  return static_cast<std::uint32_t>(g.salt) | 1U;
}
std::uint32_t seed_of(const segment_file::generation& g) {
  return static_cast<std::uint32_t>(g.salt >> 32);
}

struct record_head {
  std::uint32_t size = 0;
  std::uint64_t seq = 0;
  std::uint64_t synced = 0;
  std::uint32_t body_sum = 0;
  std::uint32_t previous_sum = 0;
  std::uint32_t sum = 0;
};

// The generation's mark, size, seq, synced, sum of the body, sum of the head before, sum of all this, and
// four bytes for the alignment.
void put_head(std::string& out, record_head& h, const segment_file::generation& g) {
  out.clear();
  put_little(out, mark_of(g));
  put_little(out, h.size);
  put_little(out, h.seq);
  put_little(out, h.synced);
  put_little(out, h.body_sum);
  put_little(out, h.previous_sum);
  h.sum = crc32c(out, seed_of(g));
  put_little(out, h.sum);
  put_little(out, std::uint32_t{0});
}

std::optional<record_head> read_head(std::string_view bytes, const segment_file::generation& g) {
  if (bytes.size() < segment_file::record_head_bytes)
    return std::nullopt;
  byte_reader in{bytes};
  record_head h;
  if (in.little<std::uint32_t>() != mark_of(g))
    return std::nullopt;
  h.size = in.little<std::uint32_t>();
  h.seq = in.little<std::uint64_t>();
  h.synced = in.little<std::uint64_t>();
  h.body_sum = in.little<std::uint32_t>();
  h.previous_sum = in.little<std::uint32_t>();
  h.sum = in.little<std::uint32_t>();
  if (crc32c(bytes.substr(0, head_summed), seed_of(g)) != h.sum)
    return std::nullopt;
  return h;
}

std::uint32_t header_sum(std::string_view header) {
  return crc32c(header.substr(0, header_summed));
}

}  // namespace

failure segment_file::damaged(const std::string& what) const {
  return {errc::corrupt, "the journal's file " + path_.string() + " is damaged: " + what};
}

segment_file::opened segment_file::prepare(const durable_files& files, const std::filesystem::path& path,
                                           std::size_t bytes) {
  bytes = aligned(bytes);
  const auto unfinished = durable_files::unfinished(path);
  const auto make = [&]() -> opened {
    auto file = files.open(unfinished, O_RDWR | O_CREAT | O_TRUNC);
    if (!file.is_open())
      return durable_files::cannot(unfinished, "made");
    // Zeros, not a hole: otherwise each sync would have to note that blocks have come into use.
    const std::string zeros(std::min(bytes, copy_bytes), '\0');
    for (std::size_t at = 0; at < bytes; at += zeros.size())
      if (auto failed = files.write(file, unfinished, at,
                                    std::string_view{zeros}.substr(0, std::min(zeros.size(), bytes - at))))
        return std::move(*failed);
    if (auto failed = files.sync(file, unfinished))
      return std::move(*failed);
    if (files.calls().rename(unfinished, path) != 0)
      return durable_files::cannot(unfinished, "renamed");
    return std::shared_ptr<segment_file>{new segment_file{files, path, std::move(file), bytes}};
  };
  auto made = make();
  if (std::holds_alternative<failure>(made)) {
    // A full disk needs its room.
    static_cast<void>(files.remove(unfinished));
    return made;
  }
  if (auto failed = files.sync_directory(path.parent_path())) {
    static_cast<void>(files.remove(path));
    return std::move(*failed);
  }
  return made;
}

segment_file::opened segment_file::open(const durable_files& files, const std::filesystem::path& path) {
  auto descriptor = files.open(path, O_RDWR);
  struct ::stat facts {};
  if (!descriptor.is_open() || ::fstat(descriptor.get(), &facts) != 0)
    return durable_files::cannot(path, "opened");
  std::shared_ptr<segment_file> file{
      new segment_file{files, path, std::move(descriptor), static_cast<std::size_t>(facts.st_size)}};
  std::string header;
  if (file->size_ >= header_bytes)
    if (auto failed = file->read(0, header_bytes, header))
      return std::move(*failed);
  // One that was never used, or is a spare.
  if (header.find_first_not_of('\0') == std::string::npos)
    return file;
  if (auto failed = file->adopt(header))
    return std::move(*failed);
  return file;
}

status segment_file::adopt(const std::string& header) {
  byte_reader in{header};
  const auto magic = in.little<std::uint64_t>();
  generation_.number = in.little<std::uint64_t>();
  generation_.first_seq = in.little<std::uint64_t>();
  const auto size = in.little<std::uint64_t>();
  generation_.salt = in.little<std::uint64_t>();
  const auto sum = in.little<std::uint32_t>();
  if (magic == (magic_without_format | std::uint64_t{'1'} << 56))
    return failure{errc::bad_config, "the journal's file " + path_.string() +
                                         " is of format 1, made by an older version; this one knows format " +
                                         std::to_string(format) + " only: use another data directory"};
  if (magic != header_magic || generation_.number == 0 || header_sum(header) != sum ||
      header.find_first_not_of('\0', header_summed + 4) != std::string::npos)
    return damaged("its header cannot be read");
  // Otherwise what is cut off would pass for a tail that was never written.
  if (size != size_)
    return damaged("it has " + std::to_string(size_) + " bytes instead of " + std::to_string(size));
  last_sum_ = sum;
  return std::nullopt;
}

status segment_file::read(std::size_t at, std::size_t bytes, std::string& out) const {
  if (auto failed = files_.read(file_, path_, at, bytes, out))
    return failed;
  if (out.size() < bytes)
    return damaged("it is shorter than what it holds");
  return std::nullopt;
}

status segment_file::sync() {
  return files_.sync_data(file_, path_);
}

status segment_file::begin(const generation& next) {
  std::string header;
  put_little(header, header_magic);
  put_little(header, next.number);
  put_little(header, next.first_seq);
  put_little(header, std::uint64_t{size_});
  put_little(header, next.salt);
  last_sum_ = header_sum(header);
  put_little(header, last_sum_);
  header.resize(header_bytes, '\0');
  generation_ = next;
  end_ = header_bytes;
  if (auto failed = write(0, header))
    return failed;
  return sync();
}

status segment_file::retire() {
  generation_ = {};
  end_ = header_bytes;
  live_bytes = 0;
  if (auto failed = write(0, std::string(header_bytes, '\0')))
    return failed;
  return sync();
}

status segment_file::append(std::uint64_t seq, std::uint64_t synced, std::string_view body) {
  ENSURE(used() && room_for(body.size()), "a record does not fit into the journal's file");
  record_head h;
  h.size = static_cast<std::uint32_t>(body.size());
  h.seq = seq;
  h.synced = synced;
  h.body_sum = crc32c(body, seed_of(generation_));
  h.previous_sum = last_sum_;
  put_head(head_, h, generation_);
  head_ += body;
  if (auto failed = write(end_, head_))
    return failed;
  last_sum_ = h.sum;
  end_ += aligned(head_.size());
  return std::nullopt;
}

std::variant<segment_file::replayed, failure>
segment_file::replay(std::uint64_t until, const std::function<bool(std::size_t, std::string_view)>& record) {
  std::string all;
  if (auto failed = read(0, size_, all))
    return std::move(*failed);
  const std::string_view bytes{all};
  // The file before was synced to its end before this one's header was written.
  replayed found{generation_.first_seq, generation_.first_seq, header_bytes, 0, false};
  std::vector<std::size_t> places;
  end_ = header_bytes;
  const auto whole = [&](const record_head& h) {
    const auto at = end_ + record_head_bytes;
    return h.size <= bytes.size() - at &&
           crc32c(bytes.substr(at, h.size), seed_of(generation_)) == h.body_sum;
  };
  while (found.next_seq < until) {
    const auto h = end_ < bytes.size() ? read_head(bytes.substr(end_), generation_) : std::nullopt;
    if (!h || h->seq != found.next_seq || h->previous_sum != last_sum_ || !whole(*h))
      break;
    if (!record(end_ + record_head_bytes, bytes.substr(end_ + record_head_bytes, h->size)))
      return damaged("it holds a record that is none, at byte " + std::to_string(end_));
    places.push_back(end_);
    found.synced = std::max(found.synced, h->synced);
    last_sum_ = h->sum;
    ++found.next_seq;
    end_ += aligned(record_head_bytes + h->size);
  }
  // Whatever was written later knows how far the disk had come then.
  for (auto at = end_; found.next_seq < until && at + record_head_bytes <= bytes.size(); at += alignment) {
    const auto h = read_head(bytes.substr(at), generation_);
    if (!h || h->seq < found.next_seq)
      continue;
    found.torn_bytes = at + record_head_bytes + h->size - end_;
    found.synced = std::max(found.synced, h->synced);
    if (h->synced > found.next_seq) {
      found.damaged = true;
      break;
    }
  }
  const auto known = static_cast<std::size_t>(found.synced - generation_.first_seq);
  found.unsynced_at = known < places.size() ? places[known] : end_;
  return found;
}

status segment_file::write_again(std::size_t from) {
  if (auto failed = copy_in_place(0, header_bytes))
    return failed;
  return copy_in_place(from, end_);
}

status segment_file::copy_in_place(std::size_t from, std::size_t to) const {
  std::string bytes;
  for (; from < to; from += bytes.size()) {
    if (auto failed = read(from, std::min(copy_bytes, to - from), bytes))
      return failed;
    if (auto failed = write(from, bytes))
      return failed;
  }
  return std::nullopt;
}

}  // namespace quorate
