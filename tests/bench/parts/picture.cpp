#include "tests/bench/parts/picture.hpp"

#include "tests/bench/parts/figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

namespace quorate::bench {

namespace {

constexpr double width = 760;
constexpr double height = 400;
constexpr double left = 80;
constexpr double right = 150;
constexpr double top = 40;
constexpr double bottom = 50;
constexpr std::array colours{"#1f6feb", "#2da44e", "#d1242f", "#8250df", "#9a6700", "#57606a"};

/// 1, 2 or 5 times a power of ten, so that about five of them make `span`.
double step_of(double span) {
  const auto raw = span / 5;
  const auto power = std::pow(10, std::floor(std::log10(raw)));
  for (const auto factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power)
      return factor * power;
  return 10 * power;
}

class canvas {
public:
  explicit canvas(const picture& p) : p_(p) {
    auto first = true;
    for (const auto& c : p.curves)
      for (const auto& [x, y] : c.points) {
        from_ = first ? x : std::min(from_, x);
        to_ = first ? x : std::max(to_, x);
        highest_ = std::max(highest_, y);
        xs_.insert(x);
        first = false;
      }
    if (to_ <= from_)
      to_ = from_ + 1;
    if (highest_ <= 0)
      highest_ = 1;
    const auto step = step_of(highest_);
    highest_ = std::ceil(highest_ / step) * step;
  }

  std::string draw() {
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) +
           "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
           "fill=\"white\"/>\n";
    write(width / 2, 22, p_.title, "middle", "font-size=\"15\"");
    write((left + width - right) / 2, height - 10, p_.x, "middle");
    write(left, top - 8, p_.y, "end");
    axes();
    for (const auto& [x, word] : p_.marks) {
      line(at_x(x), top, at_x(x), height - bottom, "#57606a", "stroke-dasharray=\"4 3\"");
      write(at_x(x) + 4, top + 12, word, "start");
    }
    for (std::size_t i = 0; i < p_.curves.size(); ++i)
      draw(p_.curves[i], colours[i % colours.size()], static_cast<double>(i));
    return out_ + "</svg>\n";
  }

private:
  [[nodiscard]] double at_x(double x) const {
    const auto part =
        p_.x_doubles ? std::log(x / from_) / std::log(to_ / from_) : (x - from_) / (to_ - from_);
    return left + part * (width - left - right);
  }
  [[nodiscard]] double at_y(double y) const {
    return height - bottom - y / highest_ * (height - top - bottom);
  }

  void write(double x, double y, const std::string& words, const char* anchor, const char* more = "") {
    out_ += "<text x=\"" + number(x, 1) + "\" y=\"" + number(y, 1) + "\" text-anchor=\"" + anchor + "\" " +
            more + ">" + words + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const char* colour, const char* more = "") {
    out_ += "<line x1=\"" + number(x1, 1) + "\" y1=\"" + number(y1, 1) + "\" x2=\"" + number(x2, 1) +
            "\" y2=\"" + number(y2, 1) + "\" stroke=\"" + colour + "\" " + more + "/>\n";
  }

  void axes() {
    for (double y = 0; y <= highest_ * 1.001; y += step_of(highest_)) {
      line(left, at_y(y), width - right, at_y(y), "#d0d7de");
      write(left - 6, at_y(y) + 4, number(y), "end");
    }
    if (p_.x_doubles) {
      for (const auto x : xs_)
        write(at_x(x), height - bottom + 16, number(x), "middle");
      return;
    }
    const auto step = step_of(to_ - from_);
    for (auto x = std::ceil(from_ / step) * step; x <= to_ * 1.001; x += step)
      write(at_x(x), height - bottom + 16, number(x, step < 1 ? 1 : 0), "middle");
  }

  void draw(const curve& c, const char* colour, double row) {
    out_ += "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"" + std::string{colour} + "\" points=\"";
    for (const auto& [x, y] : c.points)
      out_ += number(at_x(x), 1) + "," + number(at_y(y), 1) + " ";
    out_ += "\"/>\n";
    const auto y = top + 20 + 20 * row;
    line(width - right + 12, y, width - right + 34, y, colour, "stroke-width=\"3\"");
    write(width - right + 40, y + 4, c.name, "start");
  }

  const picture& p_;
  double from_ = 0;
  double to_ = 0;
  double highest_ = 0;
  std::set<double> xs_;
  std::string out_;
};

}  // namespace

std::string svg(const picture& p) {
  return canvas{p}.draw();
}

bool write_file(const std::string& path, const std::string& text) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
  std::ofstream out{path};
  out << text << std::flush;
  if (!out.good())
    std::fprintf(stderr, "%s cannot be written\n", path.c_str());
  return out.good();
}

}  // namespace quorate::bench
