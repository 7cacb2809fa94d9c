// The client edge that speaks HTTP/1.1.
#pragma once

#include "runtime/http_options.hpp"
#include "runtime/listening_socket.hpp"

#include <memory>
#include <thread>

namespace quorate {

class http_loop;

/// Serves the pages of runtime/http_routes.hpp on one address, on one thread of its own.
/// Invariant: requests of one connection are answered in their order, each once.
class http_gateway {
public:
  /// `address` is host:port, with an IP address or a name; port 0 means any that is free.
  http_gateway(std::string address, http_options options, http_backend backend);
  /// Stops.
  ~http_gateway();
  http_gateway(const http_gateway&) = delete;
  http_gateway& operator=(const http_gateway&) = delete;

  /// Takes the port, so that nobody else gets it; whoever connects waits. Fails with errc::bad_config where the address
  /// is none, else as listening_socket does. \pre called at most once.
  [[nodiscard]] status bind();
  /// Has a socket already, which listens.
  [[nodiscard]] status bind(listening_socket socket);
  /// Begins to serve. Binds, where that has not been done. \pre called at most once.
  [[nodiscard]] status start();

  /// Takes no more connections, answers what is in flight within drain_timeout, closes. Not from the
  /// gateway's own thread. What is answered later is dropped.
  void stop();

  /// The backend's answers, in any order, from any thread, until the gateway is destroyed. One that nobody
  /// waits for any more is dropped.
  void answer(std::vector<client_reply> replies);

  /// The port that was bound. \pre started.
  [[nodiscard]] std::uint16_t port() const;
  /// From any thread.
  [[nodiscard]] http_figures figures() const;

private:
  std::string address_;
  std::unique_ptr<http_loop> loop_;
  bool bound_ = false;
  std::thread thread_;
};

}  // namespace quorate
