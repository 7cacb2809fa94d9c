// Connects without waiting longer than one wants to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace quorate {

/// A TCP connection to this host that came about, non-blocking and the caller's to close; -1 where none did. A name
/// is looked up, for a second at most; each of its first addresses gets `timeout`.
[[nodiscard]] int connect_to(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace quorate
