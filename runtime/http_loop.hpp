// The event loop behind an HTTP gateway.
#pragma once

#include "runtime/beast.hpp"
#include "runtime/http_connection.hpp"
#include "runtime/http_date.hpp"
#include "runtime/http_options.hpp"
#include "runtime/listening_socket.hpp"

#include <array>
#include <atomic>
#include <unordered_map>
#include <unordered_set>

namespace quorate {

/// Accepts connections, counts what they cost, gathers their requests into one submission per turn, and
/// brings the answers back to them. Everything but `open`, `stop`, `answer`, `port` and `figures` is for the
/// loop's own thread. Invariant: waiting_ holds exactly the requests that the backend has been or will be
/// given and has not answered.
class http_loop {
public:
  http_loop(http_options options, http_backend backend);
  ~http_loop();
  http_loop(const http_loop&) = delete;
  http_loop& operator=(const http_loop&) = delete;

  [[nodiscard]] status open(const std::string& address);
  /// The same with a socket that listens already.
  [[nodiscard]] status listen(listening_socket socket);
  /// Returns when `stop` was called and everything is closed.
  void run() { io_.run(); }
  void stop();
  void answer(std::vector<client_reply> replies);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] http_figures figures() const;

  // --- for connections ---
  [[nodiscard]] const http_options& options() const { return options_; }
  [[nodiscard]] bool draining() const { return draining_; }
  /// Shared by all connections: what is in it belongs to the one that reads it until that returns.
  [[nodiscard]] auto& read_buffer() { return read_buffer_; }
  /// Hands on a request, or returns the answer where that can be given at once.
  [[nodiscard]] std::optional<http_answer> dispatch(std::shared_ptr<http_connection> from, std::uint64_t slot,
                                                    http_call call);
  void forget(const std::shared_ptr<http_connection>& connection) { connections_.erase(connection); }
  void count_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }
  void count_request_bytes(std::size_t before, std::size_t now) { request_bytes_ += now - before; }
  [[nodiscard]] const std::shared_ptr<answer_budget>& answers() const { return options_.answers; }
  /// The Date of an answer that is sent now.
  [[nodiscard]] std::string_view date() const { return date_.text(); }
  [[nodiscard]] bool request_bytes_full() const { return request_bytes_ > options_.request_bytes_max; }

private:
  /// A request in flight.
  struct waiter {
    std::shared_ptr<http_connection> connection;
    std::uint64_t slot = 0;
    std::size_t bytes = 0;
    http_page page = http_page::log;
    [[nodiscard]] bool reads() const { return page == http_page::log; }
  };

  void accept();
  void on_accepted(socket_error error, tcp::socket socket);
  void submit();
  void deliver(std::vector<client_reply> replies);
  void deliver_one(client_reply reply, waiter waited);
  void tick();
  void drain();
  void finish_if_drained();

  http_options options_;
  http_backend backend_;
  std::array<char, 64 * 1024> read_buffer_;

  // One thread runs it: the hint spares locks that nobody needs. Posting from others stays safe.
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer ticker_{io_};
  asio::steady_timer accept_again_{io_};
  std::uint16_t port_ = 0;

  std::unordered_set<std::shared_ptr<http_connection>> connections_;
  std::unordered_map<std::uint64_t, waiter> waiting_;  // by token
  std::uint64_t last_token_ = 0;
  std::vector<client_request> batch_;
  std::size_t request_bytes_ = 0;
  std::size_t reads_waiting_ = 0;  // of waiting_
  http_date date_;
  bool accepting_failed_ = false;
  bool draining_ = false;
  http_connection::clock::time_point drain_until_;

  std::atomic<std::uint64_t> open_{0};
  std::atomic<std::uint64_t> in_flight_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace quorate
