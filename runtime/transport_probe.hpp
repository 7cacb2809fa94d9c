// Connects without waiting longer than one wants to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace quorate {

/// A TCP connection to this IP address that came about in time, non-blocking and the caller's to close; -1
/// where none did.
[[nodiscard]] int connect_to(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace quorate
