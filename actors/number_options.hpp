// Options of a protocol or a policy as a spec gives them: by name, as text.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

/// One option: its range, and where its number goes.
struct number_option {
  std::string_view name;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::function<void(std::uint64_t)> set;
};

/// Sets every option that `from` names. Fails with one sentence that names the owner (of the options) and the
/// option that is unknown, no whole number, or out of range.
[[nodiscard]] status read_number_options(std::string_view owner, const std::vector<number_option>& known,
                                         const std::map<std::string, std::string>& from);

[[nodiscard]] inline std::function<void(std::uint64_t)> number_into(std::uint64_t& out) {
  return [&out](std::uint64_t n) { out = n; };
}

/// For options in whole milliseconds.
[[nodiscard]] inline std::function<void(std::uint64_t)> milliseconds_into(duration& out) {
  return [&out](std::uint64_t n) { out = std::chrono::milliseconds{n}; };
}

}  // namespace quorate
