#include "runtime/ip_address.hpp"

#include <arpa/inet.h>

#include <array>

namespace quorate {

std::optional<std::string> ip_address(std::string_view text) {
  if (text == "localhost")
    return "127.0.0.1";
  const std::string name{text};
  if (name.find('\0') != std::string::npos)
    return std::nullopt;
  for (const auto family : {AF_INET, AF_INET6}) {
    std::array<unsigned char, sizeof(in6_addr)> bytes = {};
    std::array<char, INET6_ADDRSTRLEN> spelled = {};
    if (inet_pton(family, name.c_str(), bytes.data()) == 1 &&
        inet_ntop(family, bytes.data(), spelled.data(), spelled.size()) != nullptr)
      return std::string{spelled.data()};
  }
  return std::nullopt;
}

bool is_wildcard(std::string_view address) {
  return address == "0.0.0.0" || address == "::";
}

std::string endpoint(std::string_view address, std::uint16_t port) {
  const auto v6 = address.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string{address} + "]" : std::string{address}) + ":" + std::to_string(port);
}

}  // namespace quorate
