// Requests out of a connection's bytes.
#pragma once

#include "runtime/http_routes.hpp"

#include <memory>

namespace quorate {

/// Reads one request after the other from bytes that come in pieces of any size. A body may have at most
/// limits::command_bytes_max.
class http_parser {
public:
  enum class progress : std::uint8_t { need_more, complete, failed };

  explicit http_parser(std::size_t header_bytes_max);
  ~http_parser();
  http_parser(const http_parser&) = delete;
  http_parser& operator=(const http_parser&) = delete;

  /// Reads on and removes what it has read from the front of `bytes`. What it leaves must be there again, in
  /// front of what follows, in the next call; it is at most header_bytes_max. After `complete`, call `next`
  /// to go on; after `failed`, nothing goes on.
  [[nodiscard]] progress feed(std::string_view& bytes);

  /// Forgets the complete request and gets ready for the one behind it.
  void next();

  /// Whether a request has begun and is not complete.
  [[nodiscard]] bool in_request() const;
  /// Bytes of the body so far.
  [[nodiscard]] std::size_t body_bytes() const;
  /// Whether the header is complete, and the client waits for a word before it sends the body. True once
  /// only.
  [[nodiscard]] bool take_wish_to_continue();

  /// Empty until the first line is there.
  [[nodiscard]] std::string_view method() const;
  // \pre the last feed was `complete`.
  [[nodiscard]] std::string_view target() const;
  [[nodiscard]] std::string_view body() const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_1_0() const;

  /// What to tell the client. \pre the last feed was `failed`.
  [[nodiscard]] const http_answer& failure() const;

private:
  class reader;
  std::unique_ptr<reader> reader_;
};

}  // namespace quorate
