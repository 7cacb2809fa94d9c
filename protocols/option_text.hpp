// Options of a protocol as a spec gives them: by name, as text.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace quorate {

/// One option: its range, and where its number goes.
struct number_option {
  std::string name;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::function<void(std::uint64_t)> set;
};

/// Sets every option that `from` names. Fails with one sentence that names the protocol and the option that
/// is unknown, no whole number, or out of range.
[[nodiscard]] status read_number_options(const std::string& protocol, const std::vector<number_option>& known,
                                         const std::map<std::string, std::string>& from);

/// For options in whole milliseconds.
[[nodiscard]] inline std::function<void(std::uint64_t)> milliseconds_into(duration& out) {
  return [&out](std::uint64_t n) { out = std::chrono::milliseconds{n}; };
}

}  // namespace quorate
