#include "runtime/append_log_format.hpp"

#include "actors/bytes.hpp"

#include <algorithm>

namespace quorate {

namespace {

constexpr std::uint8_t query_version = 1;
constexpr std::uint8_t page_version = 1;
constexpr std::size_t page_head_bytes = 1 + 8 + 8 + 4;
constexpr std::size_t entry_head_bytes = 8 + 4 + 4;

std::size_t page_bytes(const log_entry& entry) {
  return entry_head_bytes + entry.key.size() + entry.value.size();
}

}  // namespace

std::string encode(const log_query& query) {
  std::string out;
  put_little(out, query_version);
  put_little(out, query.from);
  put_little(out, query.limit);
  put_little(out, static_cast<std::uint8_t>(query.key.has_value()));
  if (query.key)
    out += *query.key;
  return out;
}

std::optional<log_query> decode_log_query(std::string_view bytes) {
  byte_reader in{bytes};
  const auto version = in.little<std::uint8_t>();
  log_query query;
  query.from = in.little<std::uint64_t>();
  query.limit = in.little<std::uint32_t>();
  const auto keyed = in.little<std::uint8_t>();
  if (!in.ok() || version != query_version || keyed > 1)
    return std::nullopt;
  if (query.limit == 0 || query.limit > limits::log_page_entries_max)
    return std::nullopt;
  if (keyed == 1)
    query.key = in.take(in.left());
  if (!in.at_end())
    return std::nullopt;
  return query;
}

log_page_writer::log_page_writer() : bytes_(page_head_bytes, '\0') {}

bool log_page_writer::fits(const log_entry& entry) const {
  return bytes_.size() + page_bytes(entry) <= limits::log_page_bytes_max;
}

void log_page_writer::add(const log_entry& entry) {
  put_little(bytes_, entry.index);
  put_little(bytes_, static_cast<std::uint32_t>(entry.key.size()));
  put_little(bytes_, static_cast<std::uint32_t>(entry.value.size()));
  bytes_ += entry.key;
  bytes_ += entry.value;
  ++entries_;
}

std::string log_page_writer::finish(std::uint64_t next, std::uint64_t end) && {
  std::string head;
  put_little(head, page_version);
  put_little(head, next);
  put_little(head, end);
  put_little(head, entries_);
  std::copy(head.begin(), head.end(), bytes_.begin());
  return std::move(bytes_);
}

std::optional<log_page> decode_log_page(std::string_view bytes) {
  byte_reader in{bytes};
  const auto version = in.little<std::uint8_t>();
  log_page page;
  page.next = in.little<std::uint64_t>();
  page.end = in.little<std::uint64_t>();
  const auto count = in.little<std::uint32_t>();
  // Each entry has a head: a count that cannot be true must not make us reserve memory for it.
  if (!in.ok() || version != page_version || count > in.left() / entry_head_bytes)
    return std::nullopt;
  page.entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    log_entry entry;
    entry.index = in.little<std::uint64_t>();
    const auto key_bytes = in.little<std::uint32_t>();
    const auto value_bytes = in.little<std::uint32_t>();
    entry.key = in.take(key_bytes);
    entry.value = in.take(value_bytes);
    if (!in.ok())
      return std::nullopt;
    page.entries.push_back(entry);
  }
  if (!in.at_end())
    return std::nullopt;
  return page;
}

std::string encode_index(std::uint64_t index) {
  std::string out;
  put_little(out, index);
  return out;
}

std::optional<std::uint64_t> decode_index(std::string_view bytes) {
  byte_reader in{bytes};
  const auto index = in.little<std::uint64_t>();
  if (!in.ok() || !in.at_end())
    return std::nullopt;
  return index;
}

}  // namespace quorate
