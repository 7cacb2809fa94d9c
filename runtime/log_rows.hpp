// How a replica saves its log: one row per batch.
#pragma once

#include "actors/outbox.hpp"
#include "sync/messages.hpp"

#include <optional>

namespace quorate::log_rows {

inline constexpr std::string_view prefix = "l";  ///< + index, big-endian
inline constexpr std::string_view end = "m";     ///< behind all rows

[[nodiscard]] std::string key(log_index index);
[[nodiscard]] log_index index_of(const journal_row& row);
/// Where the batch ends in the protocol; the batch itself is what the row refers to.
[[nodiscard]] std::string value(epoch_id epoch, cursor at);
/// Nothing where the row cannot be read.
[[nodiscard]] std::optional<placed_batch> decode(journal_row&& row);

}  // namespace quorate::log_rows
