// What a role wants to happen, as tests write it.
#pragma once

#include "actors/rare.hpp"

#include <sstream>

namespace quorate::testing {

/// One effect per line; without the marks of rare paths, which are for counting (actors/rare.hpp).
inline std::string wanted_text(const effects& out) {
  const auto mark = "note " + std::string{rare_mark};
  std::istringstream all{text(out)};
  std::string wanted;
  for (std::string line; std::getline(all, line);)
    if (!line.starts_with(mark))
      wanted += (wanted.empty() ? "" : "\n") + line;
  return wanted;
}

}  // namespace quorate::testing
