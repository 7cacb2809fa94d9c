#include "actors/wording.hpp"

#include <algorithm>

namespace quorate {

namespace {

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto width = b.size() + 1;
  std::vector<std::size_t> cells((a.size() + 1) * width);
  const auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& { return cells[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cell(i, j) = i + j;
        continue;
      }
      cell(i, j) = std::min(
          {cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cell(i, j) = std::min(cell(i, j), cell(i - 2, j - 2) + 1);
    }
  return cells.back();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return out;
}

std::string shortened(std::string_view text) {
  const auto cut = text.size() > quoted_bytes_max;
  auto end = std::min(text.size(), quoted_bytes_max);
  // Not within a UTF-8 sequence.
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return printable(text.substr(0, end)) + (cut ? "..." : "");
}

std::string quoted(std::string_view text) {
  return "\"" + shortened(text) + "\"";
}

std::string listed(std::span<const std::string> words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + printable(word);
  return out.empty() ? "none" : out;
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  std::string best;
  // A long word is no misspelling of ours, and would be slow to compare.
  if (word.size() > quoted_bytes_max)
    return best;
  std::size_t least = 3;
  for (const auto& candidate : known)
    // Two letters of difference make another word of a short one.
    if (const auto d = distance(word, candidate); d < least && 2 * d < candidate.size()) {
      least = d;
      best = candidate;
    }
  return best;
}

}  // namespace quorate
