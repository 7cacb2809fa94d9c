#include "runtime/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace quorate {

namespace {

constexpr std::size_t name_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_bytes_max && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
         });
}

}  // namespace

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

std::optional<std::string> host_name(std::string_view text) {
  std::string name{text};
  for (auto& c : name)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  if (name.size() > name_bytes_max)
    return std::nullopt;
  // One dot at the end means: do not search in any domain of this machine.
  std::string_view rest = name;
  if (rest.ends_with('.'))
    rest.remove_suffix(1);
  std::string_view label;
  do {
    const auto dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label))
      return std::nullopt;
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    if (dot != std::string_view::npos && rest.empty())
      return std::nullopt;
  } while (!rest.empty());
  // The system would take "10.1", "0x7f.1" and "127.0.0.256" for numbers, or ask a name server for them.
  if (std::all_of(label.begin(), label.end(), is_digit) || label.starts_with("0x"))
    return std::nullopt;
  return name;
}

bool is_wildcard(std::string_view address) {
  return address == "0.0.0.0" || address == "::";
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

std::string endpoint(std::string_view address, std::uint16_t port) {
  const auto v6 = address.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string{address} + "]" : std::string{address}) + ":" + std::to_string(port);
}

std::optional<socket_address> socket_address::of(const std::string& address, std::uint16_t port) {
  socket_address out;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&out.storage_);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&out.storage_);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size_ = sizeof(sockaddr_in);
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size_ = sizeof(sockaddr_in6);
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace quorate
