// A client on a real socket that can misbehave in every way.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace quorate {

/// What came back for one request.
struct http_reply {
  unsigned status = 0;
  std::string header;
  std::string body;
};

/// Blocking, on 127.0.0.1; whatever takes longer than the patience counts as nothing.
class http_client {
public:
  explicit http_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  http_client(http_client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), input_(std::move(other.input_)) {}
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  ~http_client() { disconnect(); }

  [[nodiscard]] bool connected() const { return connected_; }
  void patience(std::chrono::milliseconds wait) { patience_ = wait; }

  /// False where the other side has closed, or takes nothing any more.
  bool send(std::string_view text) {
    while (!text.empty()) {
      if (!ready(POLLOUT))
        return false;
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void disconnect() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  /// Closes with a reset.
  void abort() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    disconnect();
  }

  /// The next answer; nothing where none comes. \pre `head`: the request was HEAD, its answer has no body.
  std::optional<http_reply> receive(bool head = false) {
    while (input_.find("\r\n\r\n") == std::string::npos)
      if (!read_some())
        return std::nullopt;
    http_reply reply;
    const auto end = input_.find("\r\n\r\n") + 4;
    reply.header = input_.substr(0, end);
    if (!reply.header.starts_with("HTTP/1.1 "))
      return std::nullopt;
    reply.status = static_cast<unsigned>(std::stoul(reply.header.substr(9, 3)));
    std::size_t length = 0;
    if (const auto at = reply.header.find("Content-Length: "); at != std::string::npos && !head)
      length = std::stoul(reply.header.substr(at + 16));
    while (input_.size() < end + length)
      if (!read_some())
        return std::nullopt;
    reply.body = input_.substr(end, length);
    input_.erase(0, end + length);
    return reply;
  }

  std::optional<http_reply> get(std::string_view target) {
    if (!send("GET " + std::string{target} + " HTTP/1.1\r\nHost: n\r\n\r\n"))
      return std::nullopt;
    return receive();
  }
  std::optional<http_reply> post(std::string_view target, std::string_view body) {
    if (!send(post_text(target, body)))
      return std::nullopt;
    return receive();
  }
  static std::string post_text(std::string_view target, std::string_view body) {
    return "POST " + std::string{target} +
           " HTTP/1.1\r\nHost: n\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string{body};
  }

  /// Takes up to so many bytes of what has come, and throws them away. \returns how many
  std::size_t take(std::size_t bytes) {
    std::size_t got = 0;
    char buffer[65536];
    while (got < bytes && ready(POLLIN)) {
      const auto n = ::recv(fd_, buffer, std::min(sizeof(buffer), bytes - got), 0);
      if (n <= 0)
        break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

  /// Whether the other side closes, with nothing more to say.
  bool sees_end() {
    if (!input_.empty() || !ready(POLLIN))
      return false;
    char c = 0;
    return ::recv(fd_, &c, 1, 0) <= 0;
  }
  /// Whether the connection is open and silent for this long.
  bool stays_silent(std::chrono::milliseconds wait) {
    pollfd one{fd_, POLLIN, 0};
    return input_.empty() && ::poll(&one, 1, static_cast<int>(wait.count())) == 0;
  }

private:
  bool ready(short what) const {
    pollfd one{fd_, what, 0};
    return ::poll(&one, 1, static_cast<int>(patience_.count())) > 0;
  }
  bool read_some() {
    if (!ready(POLLIN))
      return false;
    char buffer[65536];
    const auto n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0)
      return false;
    input_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  std::string input_;
  std::chrono::milliseconds patience_{10'000};
};

}  // namespace quorate
