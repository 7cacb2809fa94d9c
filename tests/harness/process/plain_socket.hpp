// A TCP connection of a test that says whatever it likes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace quorate::testing {

/// A connection to a port of 127.0.0.1; closed with the object.
class plain_socket {
public:
  /// Connects, and waits for that.
  explicit plain_socket(std::uint16_t port);
  ~plain_socket();
  plain_socket(plain_socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  plain_socket(const plain_socket&) = delete;
  plain_socket& operator=(const plain_socket&) = delete;

  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  /// Whether all of it could be sent; not, where the other side does not take it within a second.
  bool send(std::string_view bytes);
  /// Whether the other side closes it in time; what it says before that is thrown away.
  [[nodiscard]] bool closed_within(std::chrono::milliseconds wait);
  /// What comes until the other side closes, or the time is over.
  [[nodiscard]] std::string receive(std::chrono::milliseconds wait);

private:
  int fd_ = -1;
};

}  // namespace quorate::testing
