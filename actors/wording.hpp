// Words for messages to people: quoting what they wrote, listing what there is, guessing what they meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

/// Most bytes of foreign text that a message repeats.
inline constexpr std::size_t quoted_bytes_max = 64;

/// `text` without line breaks and other control characters.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` printable, cut after `quoted_bytes_max` and then ended by "...": for names and paths that people
/// wrote.
[[nodiscard]] std::string shortened(std::string_view text);

/// `text` in quotes, shortened.
[[nodiscard]] std::string quoted(std::string_view text);

/// "a, b, c", or "none".
[[nodiscard]] std::string listed(std::span<const std::string> words);

/// The one of `known` that `word` is most likely a misspelling of; empty if none comes close.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace quorate
