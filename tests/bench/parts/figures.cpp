#include "tests/bench/parts/figures.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace quorate::bench {

speed speed_of(std::vector<nanoseconds> took, nanoseconds length) {
  speed s;
  s.count = took.size();
  if (took.empty() || length <= nanoseconds{0})
    return s;
  std::sort(took.begin(), took.end());
  const auto at = [&](double part) {
    return took[static_cast<std::size_t>(part * static_cast<double>(took.size() - 1))];
  };
  s.per_second = static_cast<double>(took.size()) * 1e9 / static_cast<double>(length.count());
  s.p50 = at(0.5);
  s.p99 = at(0.99);
  s.max = took.back();
  return s;
}

double in_ms(nanoseconds d) {
  return static_cast<double>(d.count()) / 1e6;
}

std::string number(double value, int digits) {
  char out[64];
  std::snprintf(out, sizeof out, "%.*f", digits, value);
  return out;
}

std::string text(const speed& s) {
  return number(s.per_second) + "/s, p50 " + number(in_ms(s.p50), 3) + " ms, p99 " + number(in_ms(s.p99), 3) +
         " ms, max " + number(in_ms(s.max), 1) + " ms";
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 3);
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const auto cell = i < rows[r].size() ? rows[r][i] : std::string{};
      const std::string gap(widths[i] - cell.size(), ' ');
      // Words to the left, figures to the right.
      out += i == 0 ? " " + cell + gap + " |" : " " + gap + cell + " |";
    }
    out += "\n";
    if (r > 0)
      continue;
    out += "|";
    for (std::size_t i = 0; i < widths.size(); ++i)
      out += (i == 0 ? ":" : "-") + std::string(widths[i], '-') + (i == 0 ? "-|" : ":|");
    out += "\n";
  }
  return out;
}

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    if (!one.empty())
      out.emplace_back(one);
  }
  return out;
}

std::vector<std::size_t> numbers(std::string_view list) {
  std::vector<std::size_t> out;
  for (const auto& word : words(list)) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() || value == 0)
      return {};
    out.push_back(value);
  }
  return out;
}

}  // namespace quorate::bench
