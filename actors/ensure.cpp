#include "actors/ensure.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace quorate {

namespace {

std::atomic<ensure_handler> current{nullptr};

}  // namespace

void set_ensure_handler(ensure_handler handler) {
  current = handler;
}

void ensure_failed(std::string_view condition, std::string_view place, const std::string& message) {
  if (auto* handler = current.load())
    handler(condition, place, message);
  std::fprintf(stderr, "broken invariant at %.*s: %s (%.*s)\n", static_cast<int>(place.size()), place.data(),
               message.c_str(), static_cast<int>(condition.size()), condition.data());
  std::abort();
}

}  // namespace quorate
