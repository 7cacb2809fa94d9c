#include "runtime/http_parser.hpp"

#include "actors/limits.hpp"
#include "runtime/beast.hpp"
#include "runtime/http_target.hpp"

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

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// Calls `element` for each element of a field that is a list, without the white space around it.
template <class F>
void for_each_element(std::string_view list, F element) {
  for (;;) {
    const auto comma = std::min(list.find(','), list.size());
    element(trimmed(list.substr(0, comma)));
    if (comma == list.size())
      return;
    list.remove_prefix(comma + 1);
  }
}

enum class body_coding : std::uint8_t { chunked, unknown, malformed };

/// What a Transfer-Encoding says. Only plain "chunked" is understood; where it is not the last coding, nobody can tell
/// where the body ends.
body_coding coding_of(std::string_view value) {
  auto result = body_coding::chunked;
  auto ended = false;
  for_each_element(value, [&](std::string_view coding) {
    const auto name = trimmed(coding.substr(0, coding.find(';')));
    const auto chunked = equals_ignoring_case(name, "chunked");
    if (name.empty() || ended || (chunked && name.size() != coding.size()))
      result = body_coding::malformed;
    else if (!chunked && result == body_coding::chunked)
      result = body_coding::unknown;
    ended = ended || chunked;
  });
  return result;
}

bool is_identity(std::string_view value) {
  auto result = true;
  for_each_element(value, [&](std::string_view coding) {
    result = result && (coding.empty() || equals_ignoring_case(coding, "identity"));
  });
  return result;
}

/// Whether a first line that Beast refuses asks for another version of HTTP.
bool asks_for_other_version(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find('\r'));
  const auto version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) && version[6] == '.' &&
         digit(version[7]);
}

/// What a request has said so far. Kept apart from Beast's parser, which is made anew for each request, so
/// that its texts keep their memory.
struct request_text {
  std::string method;
  std::string target;
  std::string body;
  bool is_http_1_0 = false;
  bool expects_continue = false;
  bool chunked = false;
  bool encoded = false;          ///< the body's content, in a way that we do not undo
  std::size_t hosts = 0;         ///< Host fields
  std::size_t lengths = 0;       ///< Content-Length fields
  std::optional<std::pair<http_error, std::string>> fault;  ///< of ours, not of Beast's

  /// Forgets the request, and keeps the memory.
  void clear() {
    method.clear();
    target.clear();
    is_http_1_0 = expects_continue = chunked = encoded = false;
    hosts = lengths = 0;
    fault.reset();
  }
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
    switch (name) {
    case http::field::host:
      if (++text_.hosts > 1)
        refuse(http_error::malformed_request, "There are two Host fields.", error);
      else if (!is_host_and_port(view_of(value)))
        refuse(http_error::malformed_request, "The Host field is not host or host:port.", error);
      break;
    case http::field::expect:
      on_expect(view_of(value), error);
      break;
    case http::field::transfer_encoding:
      on_transfer_encoding(view_of(value), error);
      break;
    case http::field::content_length:
      // Beast takes several that are equal; whoever is between us and the client may take them for something else.
      if (++text_.lengths > 1 || view_of(value).find(',') != std::string_view::npos)
        refuse(http_error::malformed_request, "There are two Content-Lengths.", error);
      break;
    case http::field::content_encoding:
      text_.encoded = text_.encoded || !is_identity(view_of(value));
      break;
    default:
      break;
    }
  }

  void on_expect(std::string_view value, socket_error& error) {
    if (text_.is_http_1_0)
      return;
    text_.expects_continue = equals_ignoring_case(value, "100-continue");
    if (!text_.expects_continue)
      refuse(http_error::expectation_failed, "An Expect other than 100-continue is not supported.", error);
  }

  /// Beast would take a request whose coding it does not know to have no body, and the body for the next request.
  void on_transfer_encoding(std::string_view value, socket_error& error) {
    text_.chunked = true;
    if (text_.is_http_1_0)
      refuse(http_error::malformed_request, "HTTP/1.0 has no Transfer-Encoding.", error);
    else if (const auto coding = coding_of(value); coding == body_coding::unknown)
      refuse(http_error::not_implemented, "A Transfer-Encoding other than chunked is not supported.", error);
    else if (coding == body_coding::malformed)
      refuse(http_error::malformed_request, "In a Transfer-Encoding, chunked must come last, and once.", error);
  }

  void on_header_impl(socket_error& error) override {
    error = {};
    if (text_.hosts == 0 && !text_.is_http_1_0)
      refuse(http_error::malformed_request, "There is no Host field.", error);
    else if (text_.encoded && (text_.chunked || content_length().value_or(0) > 0))
      refuse(http_error::unsupported_encoding, "The body must come without a Content-Encoding.", error);
  }

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

  void refuse(http_error what, std::string_view why, socket_error& error) {
    text_.fault.emplace(what, why);
    error = http::error::bad_value;
  }

  request_text& text_;
};

http_answer header_too_large(std::size_t header_bytes_max) {
  return error_answer(http_error::header_too_large,
                      "The header is larger than header_bytes_max (" + std::to_string(header_bytes_max) +
                          " bytes).");
}

http_answer target_too_long(std::size_t header_bytes_max) {
  return error_answer(http_error::target_too_long,
                      "The first line is larger than header_bytes_max (" + std::to_string(header_bytes_max) +
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
      other_version_ = in_header && asks_for_other_version(bytes);
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
    text_.clear();
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
    if (text_.fault)
      failure_ = error_answer(text_.fault->first, text_.fault->second);
    else if (error == http::error::header_limit)
      // Beast takes the first line as a whole.
      failure_ = text_.method.empty() ? target_too_long(header_bytes_max_) : header_too_large(header_bytes_max_);
    else if (error == http::error::bad_version && other_version_)
      failure_ = error_answer(http_error::version_not_supported, "This node speaks HTTP/1.0 and HTTP/1.1.");
    else if (error == http::error::body_limit)
      failure_ = error_answer(http_error::too_large,
                              "The body is larger than command_bytes_max (" +
                                  std::to_string(limits::command_bytes_max) + " bytes).");
    else
      failure_ =
          error_answer(http_error::malformed_request, "The request is not valid HTTP: " + error.message() + ".");
    return progress::failed;
  }

  std::size_t header_bytes_max_;
  std::size_t header_bytes_ = 0;  // of this request so far
  bool other_version_ = false;    // the first line, if it is in front, names a version that we do not speak
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
