// Where the sources are, for tests that read some of them.
#pragma once

#include <string>

namespace quorate::testing {

/// The folder of the project. Defined in main.cpp alone, so that no other object depends on where a checkout stands, and
/// a compiler's cache serves all of them.
std::string source_dir();

}  // namespace quorate::testing
