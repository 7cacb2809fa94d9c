#include "runtime/rocks_wal.hpp"

#include "actors/bytes.hpp"
#include "runtime/crc32c.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace quorate {

namespace {

namespace fs = std::filesystem;

// RocksDB's log format: blocks of 32 KiB; fragments that never cross them, each with a header of checksum
// (4), length (2), type (1); a record is one `whole` fragment or first, middle…, last.
constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;
enum fragment_type : std::uint8_t { none = 0, whole = 1, first = 2, middle = 3, last = 4 };

// A write batch begins with sequence number (8) and count (4). Ours go on with log data (tag 3, length): the
// mark.
constexpr std::string_view mark_tag{"\x03\x08", 2};
constexpr std::size_t head_bytes = 8 + 4 + mark_tag.size() + 8;

struct fragment {
  std::uint8_t type = none;
  std::string_view bytes;
};

std::optional<fragment> fragment_at(std::string_view log, std::size_t at) {
  const auto in_block = block_bytes - at % block_bytes;
  if (in_block < header_bytes || log.size() < at + header_bytes)
    return std::nullopt;
  byte_reader header{log.substr(at, header_bytes)};
  const auto stored = header.little<std::uint32_t>();
  const auto length = std::size_t{header.little<std::uint16_t>()};
  const auto type = header.little<std::uint8_t>();
  if (type < whole || type > last || header_bytes + length > std::min(in_block, log.size() - at))
    return std::nullopt;
  // The checksum is over type and bytes, and is stored masked, as checksums of checksums are weak.
  const auto crc = crc32c(log.substr(at + header_bytes - 1, 1 + length));
  const auto masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
  if (stored != masked)
    return std::nullopt;
  return fragment{type, log.substr(at + header_bytes, length)};
}

struct commit_head {
  std::uint64_t sequence = 0;
  std::uint32_t count = 0;
  std::optional<std::uint64_t> synced;
};

std::optional<commit_head> head_of(std::string_view record) {
  byte_reader in{record};
  commit_head head;
  head.sequence = in.little<std::uint64_t>();
  head.count = in.little<std::uint32_t>();
  if (!in.ok())
    return std::nullopt;
  if (in.take(mark_tag.size()) == mark_tag)
    head.synced = in.little<std::uint64_t>();
  return in.ok() ? head : commit_head{head.sequence, head.count, std::nullopt};
}

struct readable_part {
  std::size_t end = 0;                ///< behind the last whole record
  std::optional<std::uint64_t> next;  ///< the sequence number that must follow
};

readable_part read_log(std::string_view log) {
  readable_part result;
  // What a record begins with may itself be cut by the end of a block.
  std::optional<std::string> begun;
  std::size_t at = 0;
  while (at < log.size()) {
    if (block_bytes - at % block_bytes < header_bytes) {
      at += block_bytes - at % block_bytes;
      continue;
    }
    const auto part = fragment_at(log, at);
    const auto begins = part && (part->type == whole || part->type == first);
    if (!part || begins == begun.has_value())
      return result;
    at += header_bytes + part->bytes.size();
    if (begins)
      begun.emplace();
    begun->append(part->bytes.substr(0, head_bytes - std::min(head_bytes, begun->size())));
    if (part->type == whole || part->type == last) {
      const auto head = head_of(*begun);
      if (!head)
        return result;
      result = {at, head->sequence + head->count};
      begun.reset();
    }
  }
  return result;
}

// Is there a commit behind the readable part that was written after the unreadable one had been synced?
bool synced_record_lost(std::string_view log, const readable_part& readable) {
  auto next = readable.next;
  for (auto at = readable.end; at + header_bytes <= log.size(); ++at) {
    const auto part = fragment_at(log, at);
    if (!part || (part->type != whole && part->type != first))
      continue;
    const auto head = head_of(part->bytes);
    if (!head || head->sequence == 0 || (next && head->sequence < *next))
      continue;
    // Nothing readable in front: at least the number before this one is lost.
    if (!next)
      next = head->sequence - 1;
    if (head->synced && *head->synced >= *next)
      return true;
  }
  return false;
}

std::variant<std::string, failure> bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad() || !in.is_open())
    return failure{errc::io_failed, file.string() + " cannot be read"};
  return bytes;
}

status cut(const fs::path& file, std::size_t bytes) {
  const auto fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  const auto done = fd >= 0 && ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 && ::fsync(fd) == 0;
  const auto error = errno;
  if (fd >= 0)
    ::close(fd);
  if (done)
    return std::nullopt;
  return failure{errc::io_failed,
                 file.string() + ": its torn tail cannot be cut off: " + std::strerror(error)};
}

}  // namespace

void put_sync_mark(rocksdb::WriteBatch& changes, std::uint64_t synced) {
  std::string mark;
  put_little(mark, synced);
  changes.PutLogData(mark);
}

std::variant<std::uint64_t, failure> mend_log_tail(const fs::path& directory) {
  std::vector<fs::path> logs;
  std::error_code error;
  for (fs::directory_iterator it{directory, error}, end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".log" && it->file_size(error) > 0 && !error)
      logs.push_back(it->path());
  if (error)
    return failure{errc::io_failed, directory.string() + " cannot be read: " + error.message()};
  if (logs.empty())
    return std::uint64_t{0};
  // Their names are numbers of one width, or longer ones.
  const auto newest = *std::max_element(logs.begin(), logs.end(), [](const auto& a, const auto& b) {
    const auto left = a.filename().string();
    const auto right = b.filename().string();
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  });
  auto read = bytes_of(newest);
  if (auto* failed = std::get_if<failure>(&read))
    return std::move(*failed);
  const auto& log = std::get<std::string>(read);
  const auto readable = read_log(log);
  const auto end = log.find_last_not_of('\0');
  if (end == std::string::npos || end < readable.end)
    return std::uint64_t{0};
  if (synced_record_lost(log, readable))
    return failure{errc::corrupt, newest.string() + ": the write-ahead log is damaged at byte " +
                                      std::to_string(readable.end) + ", and synced records follow"};
  if (auto failed = cut(newest, readable.end))
    return std::move(*failed);
  return std::uint64_t{log.size() - readable.end};
}

rocksdb::WalFilter::WalProcessingOption log_continuity::LogRecordFound(unsigned long long,
                                                                       const std::string& file,
                                                                       const rocksdb::WriteBatch& changes,
                                                                       rocksdb::WriteBatch*, bool*) {
  const auto head = head_of(changes.Data());
  if (!head || (next_ && head->sequence != *next_)) {
    gap_ = file + ": the write-ahead log goes on with number " + std::to_string(head ? head->sequence : 0) +
           " where " + std::to_string(next_.value_or(0)) + " should follow";
    return WalProcessingOption::kCorruptedRecord;
  }
  next_ = head->sequence + head->count;
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace quorate
