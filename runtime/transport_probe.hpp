// Does anybody listen there?
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace quorate {

/// True where a TCP connection to this IP address comes about in time; it is closed at once.
[[nodiscard]] bool can_connect(const std::string& host, std::uint16_t port,
                               std::chrono::milliseconds timeout);

}  // namespace quorate
