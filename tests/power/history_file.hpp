// A history, kept in a file for a replay.
#pragma once

#include "tests/harness/process/append_history.hpp"

#include <filesystem>

namespace quorate::testing {

void save_history(const append_history& history, const std::filesystem::path& file);
[[nodiscard]] append_history load_history(const std::filesystem::path& file);

}  // namespace quorate::testing
