// Lines over an axis, as an SVG file.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace quorate::bench {

struct curve {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct picture {
  std::string title;
  std::string x;  ///< what the axes show
  std::string y;
  bool x_doubles = false;  ///< x is drawn by its logarithm
  std::vector<curve> curves;
  std::vector<std::pair<double, std::string>> marks;  ///< vertical lines with a word
};

[[nodiscard]] std::string svg(const picture& p);

/// Whether it could be written; the reason why not is printed.
[[nodiscard]] bool write_file(const std::string& path, const std::string& text);

}  // namespace quorate::bench
