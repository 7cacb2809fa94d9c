#include "runtime/http_parser.hpp"

#include "actors/limits.hpp"
#include "runtime/beast.hpp"

#include <algorithm>
#include <optional>

namespace quorate {

namespace {

namespace http = boost::beast::http;

using boost::beast::string_view;

/// A larger body's memory is given back when the request is done.
constexpr std::size_t kept_body_bytes = 16 * 1024;

std::string_view view_of(string_view text) {
  return {text.data(), text.size()};
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// What a request has said so far. Kept apart from Beast's parser, which is made anew for each request, so
/// that its texts keep their memory.
struct request_text {
  std::string method;
  std::string target;
  std::string body;
  bool is_http_1_0 = false;
  bool expects_continue = false;
  std::string fault;  ///< of ours, not of Beast's
};

/// Takes what Beast finds in the bytes. Keeps no header fields but those that matter.
class beast_parser : public http::basic_parser<true> {
public:
  beast_parser(request_text& text, std::size_t header_bytes_max) : text_(text) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(limits::command_bytes_max);
  }

private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       socket_error& error) override {
    error = {};
    text_.method = view_of(method);
    text_.target = view_of(target);
    text_.is_http_1_0 = version < 11;
  }

  void on_response_impl(int, string_view, int, socket_error& error) override { error = {}; }

  void on_field_impl(http::field name, string_view, string_view value, socket_error& error) override {
    error = {};
    if (name == http::field::expect && !text_.is_http_1_0) {
      text_.expects_continue = equals_ignoring_case(view_of(value), "100-continue");
      if (!text_.expects_continue)
        refuse("An Expect other than 100-continue is not supported.", error);
    } else if (name == http::field::transfer_encoding && !equals_ignoring_case(view_of(value), "chunked")) {
      // Beast would take such a request to have no body, and the body for the next request.
      refuse("A Transfer-Encoding other than chunked is not supported.", error);
    }
  }

  void on_header_impl(socket_error& error) override { error = {}; }

  void on_body_init_impl(const boost::optional<std::uint64_t>& bytes, socket_error& error) override {
    error = {};
    // A client's word alone does not get it more memory than we would keep anyway.
    text_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.value_or(0), kept_body_bytes)));
  }

  std::size_t on_body_impl(string_view bytes, socket_error& error) override {
    error = {};
    text_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, socket_error& error) override { error = {}; }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, socket_error& error) override {
    return on_body_impl(bytes, error);
  }

  void on_finish_impl(socket_error& error) override { error = {}; }

  void refuse(std::string_view fault, socket_error& error) {
    text_.fault = fault;
    error = http::error::bad_value;
  }

  request_text& text_;
};

http_answer header_too_large(std::size_t header_bytes_max) {
  return error_answer(431, "header_too_large",
                      "The header is larger than header_bytes_max (" + std::to_string(header_bytes_max) +
                          " bytes).");
}

}  // namespace

class http_parser::reader {
public:
  explicit reader(std::size_t header_bytes_max) : header_bytes_max_(header_bytes_max) { next(); }

  progress feed(std::string_view& bytes) {
    // Old clients send an empty line behind a body; RFC 9112 section 2.2 says to ignore it.
    if (!beast_->got_some())
      bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    while (!bytes.empty() && !beast_->is_done()) {
      const auto in_header = !beast_->is_header_done();
      socket_error error;
      const auto taken = beast_->put(asio::const_buffer{bytes.data(), bytes.size()}, error);
      bytes.remove_prefix(taken);
      if (in_header)
        header_bytes_ += taken;
      if (error && error != http::error::need_more)
        return fail(error);
      // Beast forgets the fields that it has read: a client could go on for ever. In a body, what it leaves
      // is the header of a chunk, or a trailer.
      const auto header_bytes = (beast_->is_header_done() ? 0 : header_bytes_) + (error ? bytes.size() : 0);
      if (std::max(header_bytes, header_bytes_) > header_bytes_max_)
        return fail(http::error::header_limit);
      if (error)
        return progress::need_more;
    }
    return beast_->is_done() ? progress::complete : progress::need_more;
  }

  void next() {
    text_.expects_continue = false;
    if (text_.body.capacity() > kept_body_bytes)
      text_.body = std::string{};
    text_.body.clear();
    header_bytes_ = 0;
    beast_.emplace(text_, header_bytes_max_);
  }

  bool take_wish_to_continue() {
    if (!beast_->is_header_done())
      return false;
    // Once a part of the body is here, the client does not wait any more.
    return std::exchange(text_.expects_continue, false) && !beast_->is_done() && text_.body.empty();
  }

  [[nodiscard]] const beast_parser& beast() const { return *beast_; }
  [[nodiscard]] const request_text& text() const { return text_; }
  [[nodiscard]] const http_answer& failure() const { return failure_; }

private:
  progress fail(socket_error error) {
    if (!text_.fault.empty())
      failure_ = error_answer(400, "malformed_request", text_.fault);
    else if (error == http::error::header_limit)
      failure_ = header_too_large(header_bytes_max_);
    else if (error == http::error::body_limit)
      failure_ = error_answer(413, "too_large",
                              "The body is larger than command_bytes_max (" +
                                  std::to_string(limits::command_bytes_max) + " bytes).");
    else
      failure_ =
          error_answer(400, "malformed_request", "The request is not valid HTTP: " + error.message() + ".");
    return progress::failed;
  }

  std::size_t header_bytes_max_;
  std::size_t header_bytes_ = 0;  // of this request so far
  request_text text_;
  std::optional<beast_parser> beast_;
  http_answer failure_;
};

http_parser::http_parser(std::size_t header_bytes_max)
    : reader_(std::make_unique<reader>(header_bytes_max)) {}
http_parser::~http_parser() = default;

http_parser::progress http_parser::feed(std::string_view& bytes) {
  return reader_->feed(bytes);
}
void http_parser::next() {
  reader_->next();
}

bool http_parser::in_request() const {
  return reader_->beast().got_some() && !reader_->beast().is_done();
}
std::size_t http_parser::body_bytes() const {
  return reader_->text().body.size();
}
bool http_parser::take_wish_to_continue() {
  return reader_->take_wish_to_continue();
}

std::string_view http_parser::method() const {
  return reader_->text().method;
}
std::string_view http_parser::target() const {
  return reader_->text().target;
}
std::string_view http_parser::body() const {
  return reader_->text().body;
}
bool http_parser::keep_alive() const {
  return reader_->beast().keep_alive();
}
bool http_parser::is_http_1_0() const {
  return reader_->text().is_http_1_0;
}
const http_answer& http_parser::failure() const {
  return reader_->failure();
}

}  // namespace quorate
