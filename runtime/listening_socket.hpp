// Sockets that listen.
#pragma once

#include "actors/errors.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace quorate {

/// A TCP socket that is bound and listens: from now on nobody else has the address. Closed with the object.
class listening_socket {
public:
  /// `host` is an IP address, or a name, which is looked up for some seconds at most; `::` takes IPv4 too. Fails
  /// with errc::in_use where another process has the port, else with errc::io_failed, in one sentence that names
  /// address and cause, and says what it was for ("for other nodes").
  [[nodiscard]] static std::variant<listening_socket, failure>
  open(const std::string& host, std::uint16_t port, const std::string& purpose);

  listening_socket() = default;
  ~listening_socket();
  listening_socket(listening_socket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), address_(std::move(other.address_)) {}
  listening_socket& operator=(listening_socket&& other) noexcept;
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  /// The IP address that was bound.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// The descriptor, non-blocking and closed on exec; the caller's from now on. -1 where there is none.
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

private:
  listening_socket(int descriptor, std::string address)
      : descriptor_(descriptor), address_(std::move(address)) {}

  int descriptor_ = -1;
  std::string address_;
};

}  // namespace quorate
