// IP addresses as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate {

/// The one spelling of an IPv4 or IPv6 address ("::1" for "0:0::1"); "localhost" is 127.0.0.1. Nothing for
/// anything else, names included: looking one up would block.
[[nodiscard]] std::optional<std::string> ip_address(std::string_view text);

/// Whether the address, in the spelling of ip_address, stands for every address of a machine.
[[nodiscard]] bool is_wildcard(std::string_view address);

/// "127.0.0.1:80", "[::1]:80".
[[nodiscard]] std::string endpoint(std::string_view address, std::uint16_t port);

}  // namespace quorate
