// A client of a node that runs in another process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate::testing {

/// What came back for one request.
struct http_reply {
  unsigned status = 0;
  std::string header;  ///< status line and fields, as sent
  std::string body;

  /// Whether the header has a field of this name (as the node spells it).
  [[nodiscard]] bool has_field(std::string_view name) const;
};

/// Where a node answers clients.
struct endpoint {
  std::string host;  ///< an IPv4 address
  std::uint16_t port = 0;
};

/// Keep-alive HTTP/1.1, on 127.0.0.1 unless told otherwise, one request at a time; connects when it has to.
/// Whatever takes longer than the patience counts as no answer. Invariant: after a request without an answer
/// the connection is closed, so that no answer is taken for another's.
class http_client {
public:
  using milliseconds = std::chrono::milliseconds;

  explicit http_client(std::uint16_t port, milliseconds patience = milliseconds{10'000})
      : http_client(endpoint{"127.0.0.1", port}, patience) {}
  explicit http_client(endpoint node, milliseconds patience = milliseconds{10'000})
      : node_(std::move(node)), patience_(patience) {}
  ~http_client() { disconnect(); }
  http_client(http_client&& other) noexcept;
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  void patience(milliseconds wait) { patience_ = wait; }

  std::optional<http_reply> get(std::string_view target) { return request("GET", target, {}); }
  std::optional<http_reply> post(std::string_view target, std::string_view body) {
    return request("POST", target, body);
  }
  std::optional<http_reply> request(std::string_view method, std::string_view target, std::string_view body);
  /// Sends the bytes as they are, and takes one answer.
  std::optional<http_reply> raw(std::string_view bytes);

  /// Whether a byte of the last request may have reached the node.
  [[nodiscard]] bool sent() const { return sent_; }
  void disconnect();

private:
  using clock = std::chrono::steady_clock;

  bool connect(clock::time_point deadline);
  bool send(std::string_view bytes, clock::time_point deadline);
  std::optional<http_reply> receive(clock::time_point deadline);
  bool read_some(clock::time_point deadline);
  [[nodiscard]] bool ready(short what, clock::time_point deadline) const;
  /// Whether the node has closed the connection, or said what nobody asked for.
  [[nodiscard]] bool stale() const;

  endpoint node_;
  milliseconds patience_;
  int fd_ = -1;
  bool sent_ = false;
  std::string input_;
};

}  // namespace quorate::testing
