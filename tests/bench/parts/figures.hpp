// Figures of one measurement, and how they are written down.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace quorate::bench {

using steady = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// How fast something was.
struct speed {
  double per_second = 0;
  nanoseconds p50{};
  nanoseconds p99{};
  nanoseconds max{};
  std::uint64_t count = 0;
};

/// \param took one entry per operation, in any order; \param length from the first question to the last
/// answer.
[[nodiscard]] speed speed_of(std::vector<nanoseconds> took, nanoseconds length);

[[nodiscard]] double in_ms(nanoseconds d);
/// With so many digits behind the point.
[[nodiscard]] std::string number(double value, int digits = 0);
[[nodiscard]] std::string text(const speed& s);

/// The middle one; 0 where there is none.
[[nodiscard]] double median(std::vector<double> values);

/// Rows of cells as a Markdown table with aligned columns; the first row is the head.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

/// "1,16,64" as numbers; empty where one of them is none or 0.
[[nodiscard]] std::vector<std::size_t> numbers(std::string_view list);
[[nodiscard]] std::vector<std::string> words(std::string_view list);

}  // namespace quorate::bench
