#include "runtime/log_rows.hpp"

#include "actors/bytes.hpp"

namespace quorate::log_rows {

std::string key(log_index index) {
  std::string out{prefix};
  put_big(out, index.value);
  return out;
}

log_index index_of(const journal_row& row) {
  byte_reader in{std::string_view{row.key}.substr(prefix.size())};
  return log_index{in.big<std::uint64_t>()};
}

std::string value(epoch_id epoch, cursor at) {
  std::string out;
  put_little(out, epoch.value);
  put_little(out, at.value);
  return out;
}

std::optional<placed_batch> decode(journal_row&& row) {
  byte_reader in{row.value};
  placed_batch entry;
  entry.epoch = epoch_id{in.little<std::uint64_t>()};
  entry.at = cursor{in.little<std::uint64_t>()};
  if (!in.ok() || !in.at_end() || !row.batch)
    return std::nullopt;
  entry.value = {row.batch->id, std::move(row.batch->body)};
  return entry;
}

}  // namespace quorate::log_rows
