// IP addresses as text.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate {

/// The one spelling of an IPv4 or IPv6 address ("::1" for "0:0::1"); "localhost" is 127.0.0.1. Nothing for
/// anything else, other names included.
[[nodiscard]] std::optional<std::string> ip_address(std::string_view text);

/// The one spelling of a host's name: lower case. Nothing for what cannot be one: labels of letters, digits, "-" and
/// "_" with dots in between, at most 253 characters. What ends in a number is none either: that is an IP address,
/// mistyped.
[[nodiscard]] std::optional<std::string> host_name(std::string_view text);

/// Whether the address, in the spelling of ip_address, stands for every address of a machine.
[[nodiscard]] bool is_wildcard(std::string_view address);

/// Whether only processes of the same machine can reach it.
[[nodiscard]] bool is_loopback(std::string_view address);

/// "127.0.0.1:80", "[::1]:80".
[[nodiscard]] std::string endpoint(std::string_view address, std::uint16_t port);

/// An IP address and a port as the system wants them.
class socket_address {
public:
  /// Nothing where `address` is no IP address.
  [[nodiscard]] static std::optional<socket_address> of(const std::string& address, std::uint16_t port);

  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }

private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace quorate
