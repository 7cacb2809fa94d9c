#include "runtime/segment_file.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "runtime/crc32c.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace quorate {

namespace {

constexpr std::uint64_t header_magic = 0x31676573'65746f71ULL;  // "qotseg1", as bytes
constexpr std::uint32_t record_magic = 0x31636572U;             // "rec1"
constexpr std::size_t alignment = 8;                            // of records, so that a search is fast

std::size_t aligned(std::size_t n) {
  return (n + alignment - 1) / alignment * alignment;
}

std::uint32_t seed_of(std::uint64_t life) {
  std::string bytes;
  put_little(bytes, life);
  return crc32c(bytes);
}

struct record_head {
  std::uint32_t size = 0;
  std::uint64_t seq = 0;
  std::uint64_t synced = 0;
  std::uint32_t body_sum = 0;
};

// magic, size, seq, synced, sum of the body, sum of all this, and four bytes for the alignment.
void put_head(std::string& out, const record_head& h, std::uint64_t life) {
  out.clear();
  put_little(out, record_magic);
  put_little(out, h.size);
  put_little(out, h.seq);
  put_little(out, h.synced);
  put_little(out, h.body_sum);
  put_little(out, crc32c(out, seed_of(life)));
  put_little(out, std::uint64_t{0});
}

std::optional<record_head> read_head(std::string_view bytes, std::uint64_t life) {
  if (bytes.size() < segment_file::record_head_bytes)
    return std::nullopt;
  byte_reader in{bytes};
  record_head h;
  if (in.little<std::uint32_t>() != record_magic)
    return std::nullopt;
  h.size = in.little<std::uint32_t>();
  h.seq = in.little<std::uint64_t>();
  h.synced = in.little<std::uint64_t>();
  h.body_sum = in.little<std::uint32_t>();
  const auto sum = in.little<std::uint32_t>();
  if (crc32c(bytes.substr(0, 28), seed_of(life)) != sum)
    return std::nullopt;
  return h;
}

}  // namespace

failure segment_file::describe(const std::string& what) const {
  return {errc::io_failed,
          "the journal's file " + path_.string() + " cannot be " + what + ": " + std::strerror(errno)};
}

segment_file::opened segment_file::prepare(const std::filesystem::path& path, std::size_t bytes) {
  bytes = aligned(bytes);
  const auto fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  std::shared_ptr<segment_file> file{new segment_file{path, fd, bytes}};
  if (fd < 0)
    return file->describe("made");
  // Zeros, not a hole: otherwise each sync would have to note that blocks have come into use.
  const std::string zeros(std::min<std::size_t>(bytes, 1u << 20), '\0');
  for (std::size_t at = 0; at < bytes; at += zeros.size())
    if (auto failed = file->write(at, std::string_view{zeros}.substr(0, std::min(zeros.size(), bytes - at))))
      return std::move(*failed);
  if (::fsync(fd) != 0)
    return file->describe("synced");
  const auto directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto kept = directory >= 0 && ::fsync(directory) == 0;
  if (directory >= 0)
    ::close(directory);
  if (!kept)
    return file->describe("kept in its directory");
  return file;
}

segment_file::opened segment_file::open(const std::filesystem::path& path) {
  const auto fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct ::stat facts {};
  std::shared_ptr<segment_file> file{new segment_file{path, fd, 0}};
  if (fd < 0 || ::fstat(fd, &facts) != 0)
    return file->describe("opened");
  file->size_ = static_cast<std::size_t>(facts.st_size);
  std::string header;
  if (file->size_ >= header_bytes) {
    if (auto failed = file->read(0, header_bytes, header))
      return std::move(*failed);
  }
  // One whose making was interrupted may have any size, and is empty.
  if (header.find_first_not_of('\0') == std::string::npos)
    return file;
  byte_reader in{header};
  const auto magic = in.little<std::uint64_t>();
  file->life_.number = in.little<std::uint64_t>();
  file->life_.first_seq = in.little<std::uint64_t>();
  const auto size = in.little<std::uint64_t>();
  const auto sum = in.little<std::uint32_t>();
  if (magic != header_magic || file->life_.number == 0 ||
      crc32c(std::string_view{header}.substr(0, 32)) != sum ||
      header.find_first_not_of('\0', 36) != std::string::npos)
    return failure{errc::corrupt,
                   "the journal's file " + path.string() + " is damaged: its header cannot be read"};
  // Otherwise what is cut off would pass for a tail that was never written.
  if (size != file->size_)
    return failure{errc::corrupt, "the journal's file " + path.string() + " is damaged: it has " +
                                      std::to_string(file->size_) + " bytes instead of " +
                                      std::to_string(size)};
  return file;
}

segment_file::~segment_file() {
  if (fd_ >= 0)
    ::close(fd_);
}

status segment_file::write(std::size_t at, std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return describe("written");
    at += static_cast<std::size_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

status segment_file::read(std::size_t at, std::size_t bytes, std::string& out) const {
  out.resize(bytes);
  std::size_t done = 0;
  while (done < bytes) {
    const auto n = ::pread(fd_, out.data() + done, bytes - done, static_cast<::off_t>(at + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return describe("read");
    if (n == 0)
      return failure{errc::corrupt,
                     "the journal's file " + path_.string() + " is shorter than what it holds"};
    done += static_cast<std::size_t>(n);
  }
  return std::nullopt;
}

status segment_file::sync() {
  if (::fdatasync(fd_) != 0)
    return describe("synced");
  return std::nullopt;
}

status segment_file::begin(const life& next) {
  std::string header;
  put_little(header, header_magic);
  put_little(header, next.number);
  put_little(header, next.first_seq);
  put_little(header, std::uint64_t{size_});
  put_little(header, crc32c(header));
  header.resize(header_bytes, '\0');
  life_ = next;
  end_ = header_bytes;
  if (auto failed = write(0, header))
    return failed;
  return sync();
}

status segment_file::retire() {
  life_ = {};
  end_ = header_bytes;
  live_bytes = 0;
  if (auto failed = write(0, std::string(header_bytes, '\0')))
    return failed;
  return sync();
}

status segment_file::append(std::uint64_t seq, std::uint64_t synced, std::string_view body) {
  ENSURE(used() && room_for(body.size()), "a record does not fit into the journal's file");
  put_head(head_, {static_cast<std::uint32_t>(body.size()), seq, synced, crc32c(body, seed_of(life_.number))},
           life_.number);
  head_ += body;
  if (auto failed = write(end_, head_))
    return failed;
  end_ += aligned(head_.size());
  return std::nullopt;
}

std::variant<segment_file::replayed, failure>
segment_file::replay(const std::function<bool(std::size_t, std::string_view)>& record) {
  std::string all;
  if (auto failed = read(0, size_, all))
    return std::move(*failed);
  const std::string_view bytes{all};
  replayed found{life_.first_seq, 0, std::nullopt};
  end_ = header_bytes;
  const auto whole = [&](const record_head& h, std::size_t at) {
    return h.size <= bytes.size() - at - record_head_bytes &&
           crc32c(bytes.substr(at + record_head_bytes, h.size), seed_of(life_.number)) == h.body_sum;
  };
  for (;;) {
    const auto h = end_ < bytes.size() ? read_head(bytes.substr(end_), life_.number) : std::nullopt;
    if (!h || h->seq != found.next_seq || !whole(*h, end_))
      break;
    if (!record(end_ + record_head_bytes, bytes.substr(end_ + record_head_bytes, h->size)))
      return failure{errc::corrupt, "the journal's file " + path_.string() +
                                        " holds a record that is none, at byte " + std::to_string(end_)};
    ++found.next_seq;
    end_ += aligned(record_head_bytes + h->size);
  }
  // Whatever was written later knows how far the disk had come then.
  for (auto at = end_; at + record_head_bytes <= bytes.size(); at += alignment) {
    const auto h = read_head(bytes.substr(at), life_.number);
    if (!h || h->seq < found.next_seq)
      continue;
    found.torn_bytes = at + record_head_bytes + h->size - end_;
    if (h->synced > found.next_seq) {
      found.damaged_at = end_;
      break;
    }
  }
  return found;
}

}  // namespace quorate
