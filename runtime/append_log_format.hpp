// What the append log is asked and what it answers, as bytes: shared by its state machine and the client
// edge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

namespace limits {

inline constexpr std::uint32_t log_page_entries_max = 1000;     ///< entries in one page
inline constexpr std::size_t log_page_bytes_max = 1024 * 1024;  ///< bytes of one page
inline constexpr std::uint64_t log_scan_entries_max = 10'000;   ///< entries that one query by key looks at
inline constexpr std::size_t log_scan_bytes_max = 16 * 1024 * 1024;  ///< bytes that one query by key looks at

}  // namespace limits

/// Which entries of the log, from `from` on.
struct log_query {
  std::uint64_t from = 0;
  std::uint32_t limit = 100;            ///< 1 to limits::log_page_entries_max
  std::optional<std::string> key = {};  ///< only entries with this key
  friend bool operator==(const log_query&, const log_query&) = default;
};

[[nodiscard]] std::string encode(const log_query& query);
/// Nothing where the bytes are not a query, or its limit is out of range.
[[nodiscard]] std::optional<log_query> decode_log_query(std::string_view bytes);

/// One entry; its texts point into somebody else's bytes.
struct log_entry {
  std::uint64_t index = 0;
  std::string_view key;
  std::string_view value;
  friend bool operator==(const log_entry&, const log_entry&) = default;
};

/// The answer to a log_query.
struct log_page {
  std::vector<log_entry> entries;
  std::uint64_t next = 0;  ///< where to go on: the `from` of the next query
  std::uint64_t end = 0;   ///< how many entries the log has
};

/// The page in these bytes, pointing into them; nothing where they are not a page.
[[nodiscard]] std::optional<log_page> decode_log_page(std::string_view bytes);

/// Encodes a page entry by entry, so that nobody has to keep the entries' texts.
class log_page_writer {
public:
  log_page_writer();
  /// Whether a page that has `entries()` entries stays below limits::log_page_bytes_max with this one too.
  [[nodiscard]] bool fits(const log_entry& entry) const;
  void add(const log_entry& entry);
  [[nodiscard]] std::uint32_t entries() const { return entries_; }
  [[nodiscard]] std::string finish(std::uint64_t next, std::uint64_t end) &&;

private:
  std::string bytes_;
  std::uint32_t entries_ = 0;
};

/// The answer to one append: the entry's index.
[[nodiscard]] std::string encode_index(std::uint64_t index);
[[nodiscard]] std::optional<std::uint64_t> decode_index(std::string_view bytes);

}  // namespace quorate
