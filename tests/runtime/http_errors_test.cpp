#include "runtime/http_errors.hpp"
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace quorate;

namespace {

using table = std::set<std::pair<unsigned, std::string>>;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in{line};
  for (std::string cell; std::getline(in, cell, '|');)
    out.push_back(cell);
  return out;
}

/// What README.md says of errors: rows "| 413, 431 | `one`, `other` | …", the n-th status with the n-th code where there
/// are several.
table documented() {
  std::ifstream file{quorate::testing::source_dir() + "/README.md"};
  REQUIRE(file);
  table out;
  auto inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| status | `error` |"))
      inside = true;
    else if (inside && !line.starts_with('|'))
      inside = false;
    const auto cells = cells_of(line);
    if (!inside || cells.size() < 4 || cells[1].find_first_of("0123456789") == std::string::npos)
      continue;
    std::vector<unsigned> statuses;
    std::istringstream numbers{cells[1]};
    for (std::string one; std::getline(numbers, one, ',');)
      statuses.push_back(static_cast<unsigned>(std::stoul(one)));
    std::vector<std::string> codes;
    for (std::size_t at = 0; (at = cells[2].find('`', at)) != std::string::npos;) {
      const auto end = cells[2].find('`', at + 1);
      REQUIRE(end != std::string::npos);
      codes.push_back(cells[2].substr(at + 1, end - at - 1));
      at = end + 1;
    }
    CAPTURE(line);
    REQUIRE((statuses.size() == 1 || statuses.size() == codes.size()));
    for (std::size_t i = 0; i < codes.size(); ++i)
      out.emplace(statuses[statuses.size() == 1 ? 0 : i], codes[i]);
  }
  return out;
}

}  // namespace

TEST_CASE("README names every error that a client can get, with its status, and no other") {
  table known;
  for (const auto& row : http_errors())
    known.emplace(row.status, row.code);
  const auto told = documented();
  CHECK(told.size() > 20);
  for (const auto& [status, code] : known)
    CHECK_MESSAGE(told.contains({status, code}), status << " " << code << " is not in README.md");
  for (const auto& [status, code] : told)
    CHECK_MESSAGE(known.contains({status, code}), status << " " << code << " is in README.md only");
}

TEST_CASE("whatever goes wrong has an error for clients") {
  for (int code = 1; to_string(static_cast<errc>(code)) != "unknown"; ++code) {
    const auto name = to_string(static_cast<errc>(code));
    const auto& row = row_of(http_error_of(static_cast<errc>(code)));
    CHECK_MESSAGE((row.code == name || row.code == "internal"), name);
    CHECK(row.status >= 400);
  }
  CHECK(bad_body_error("too_deep") == http_error::too_deep);
  CHECK(bad_body_error("no_quorum") == http_error::internal);
}
