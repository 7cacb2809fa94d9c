#include "tests/harness/invariant_trap.hpp"

#include "actors/ensure.hpp"

#include <mutex>

namespace quorate::testing {

namespace {

thread_local int traps = 0;

void spring(std::string_view condition, std::string_view where, const std::string& message) {
  if (traps > 0)
    throw invariant_broken{"invariant: " + message + " (" + std::string{condition} + " at " +
                           std::string{where} + ")"};
}

}  // namespace

invariant_trap::invariant_trap() {
  static std::once_flag once;
  std::call_once(once, [] { set_ensure_handler(spring); });
  ++traps;
}

invariant_trap::~invariant_trap() {
  --traps;
}

}  // namespace quorate::testing
