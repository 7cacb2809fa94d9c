#include "runtime/rocks_log.hpp"

#include "actors/outbox.hpp"
#include "runtime/logging.hpp"

#include <array>
#include <cstdio>

namespace quorate {

void rocks_log::Logv(const char* format, va_list values) {
  if (!log_enabled(severity::debug))
    return;
  std::array<char, 1024> line{};
  if (std::vsnprintf(line.data(), line.size(), format, values) > 0)
    log(severity::debug, "rocksdb", line.data());
}

}  // namespace quorate
