// Invariants, checked in release too.
#pragma once

#include <string>
#include <string_view>

namespace quorate {

/// Called when an invariant is broken. Default: print and abort, since crash is the only recovery there is.
/// The simulator installs one that throws, so that a broken invariant becomes a report with a seed.
using ensure_handler = void (*)(std::string_view condition, std::string_view place,
                                const std::string& message);
void set_ensure_handler(ensure_handler handler);

[[noreturn]] void ensure_failed(std::string_view condition, std::string_view place,
                                const std::string& message);

}  // namespace quorate

#define QUORATE_STRINGIFY_2(x) #x
#define QUORATE_STRINGIFY(x) QUORATE_STRINGIFY_2(x)

/// Stops the process with `message` (a std::string expression, only evaluated on failure) unless `condition`
/// holds.
#define ENSURE(condition, message)                                                                           \
  do {                                                                                                       \
    if (!(condition)) [[unlikely]]                                                                           \
      ::quorate::ensure_failed(#condition, __FILE__ ":" QUORATE_STRINGIFY(__LINE__), (message));             \
  } while (false)
