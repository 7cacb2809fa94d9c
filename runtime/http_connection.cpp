#include "runtime/http_connection.hpp"

#include "actors/ensure.hpp"
#include "runtime/http_loop.hpp"
#include "runtime/json_text.hpp"

namespace quorate {

namespace {

/// A slow client must take this much within write_timeout.
constexpr std::size_t send_chunk_bytes = 256 * 1024;
/// Larger buffers are given back when they are empty.
constexpr std::size_t kept_buffer_bytes = 16 * 1024;

std::string_view status_line(unsigned status) {
  switch (status) {
  case 200:
    return "HTTP/1.1 200 OK\r\n";
  case 400:
    return "HTTP/1.1 400 Bad Request\r\n";
  case 404:
    return "HTTP/1.1 404 Not Found\r\n";
  case 405:
    return "HTTP/1.1 405 Method Not Allowed\r\n";
  case 408:
    return "HTTP/1.1 408 Request Timeout\r\n";
  case 413:
    return "HTTP/1.1 413 Content Too Large\r\n";
  case 429:
    return "HTTP/1.1 429 Too Many Requests\r\n";
  case 431:
    return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
  case 503:
    return "HTTP/1.1 503 Service Unavailable\r\n";
  case 504:
    return "HTTP/1.1 504 Gateway Timeout\r\n";
  default:
    return "HTTP/1.1 500 Internal Server Error\r\n";
  }
}

void empty(std::string& buffer) {
  if (buffer.capacity() > kept_buffer_bytes)
    buffer = std::string{};
  buffer.clear();
}

}  // namespace

http_connection::http_connection(tcp::socket socket, http_loop& loop)
    : socket_(std::move(socket)), loop_(loop), parser_(loop.options().header_bytes_max),
      idle_since_(clock::now()) {}

void http_connection::start() {
  read();
}

void http_connection::turn_away(http_answer answer) {
  refuse(std::move(answer));
  resume();
}

// --- reading
// ---------------------------------------------------------------------------------------------------

bool http_connection::may_take_request() const {
  return !last_ && slots_.size() < loop_.options().pipeline_max &&
         outgoing_.size() + being_sent_.size() - sent_ < loop_.options().unsent_bytes_max;
}

void http_connection::read() {
  // Where nothing is taken, nothing is read: the client notices when its send buffer is full.
  if (waiting_ || closed_ || half_closed_ || !(lingering_ || parser_.in_request() || may_take_request()))
    return;
  waiting_ = true;
  // Waiting needs no buffer: an idle connection costs little memory.
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](socket_error error) {
    self->waiting_ = false;
    if (!error)
      self->take_input();
  });
}

void http_connection::take_input() {
  if (closed_)
    return;
  auto& buffer = loop_.read_buffer();
  socket_error error;
  const auto bytes = socket_.read_some(asio::buffer(buffer), error);
  if (error == asio::error::eof) {
    half_closed_ = true;
    last_ = true;
    // What was asked is still answered: a client may close its side early.
    if (quiet() || lingering_)
      close();
    return;
  }
  if (error && error != asio::error::would_block && error != asio::error::interrupted) {
    close();
    return;
  }
  // After the last answer, input is read only so that closing does not cut that answer off.
  if (!error && !lingering_)
    on_input({buffer.data(), bytes});
  resume();
}

void http_connection::on_input(std::string_view bytes) {
  idle_since_ = clock::now();
  if (rest_.empty()) {
    parse(bytes);
    rest_ = bytes;
  } else {
    rest_ += bytes;
    std::string_view all{rest_};
    parse(all);
    rest_.erase(0, rest_.size() - all.size());
  }
  if (last_)
    empty(rest_);
}

void http_connection::parse(std::string_view& bytes) {
  while (!bytes.empty() && (parser_.in_request() || may_take_request())) {
    if (last_) {
      bytes = {};
      return;
    }
    const auto began = !parser_.in_request();
    switch (parser_.feed(bytes)) {
    case http_parser::progress::need_more:
      if (began)
        request_began_ = clock::now();
      note_body();
      if (!last_ && bytes.empty() && parser_.take_wish_to_continue()) {
        slots_.push_back({slot::kind::word_to_continue, false, false, false, http_answer{}});
        collect_answers();
      }
      return;
    case http_parser::progress::complete:
      take_request();
      parser_.next();
      break;
    case http_parser::progress::failed:
      refuse(parser_.failure());
      bytes = {};
      return;
    }
  }
}

/// Keeps the loop's count of request bytes, and refuses the request where that has reached its limit.
void http_connection::note_body() {
  loop_.count_request_bytes(body_charge_, parser_.body_bytes());
  body_charge_ = parser_.body_bytes();
  if (parser_.in_request() && body_charge_ > 0 && loop_.request_bytes_full() && !last_) {
    loop_.count_refused();
    refuse(error_answer(429, "overloaded",
                        "The node has reached request_bytes_max; the request was not executed."));
  }
}

void http_connection::take_request() {
  if (last_)
    return;
  loop_.count_request();
  const auto keep = parser_.keep_alive() && !loop_.draining();
  slots_.push_back(
      {slot::kind::answer, !keep, parser_.method() == "HEAD", keep && parser_.is_http_1_0(), {}});
  last_ = !keep;
  // From here on the body is counted as a request in flight.
  loop_.count_request_bytes(body_charge_, 0);
  body_charge_ = 0;
  const auto number = first_slot_ + slots_.size() - 1;
  auto parsed =
      parse_call(parser_.method(), parser_.target(), parser_.body(), loop_.options().answer_timeout);
  if (auto* call = std::get_if<http_call>(&parsed)) {
    if (auto at_once = loop_.dispatch(shared_from_this(), number, std::move(*call)))
      answer(number, std::move(*at_once));
  } else {
    answer(number, std::move(std::get<http_answer>(parsed)));
  }
}

/// The last answer of this connection, to whatever was coming in.
void http_connection::refuse(http_answer answer) {
  last_ = true;
  slots_.push_back({slot::kind::answer, true, false, false, std::nullopt});
  this->answer(first_slot_ + slots_.size() - 1, std::move(answer));
}

// --- answering
// -------------------------------------------------------------------------------------------------

void http_connection::answer(std::uint64_t number, http_answer answer) {
  if (closed_)
    return;
  ENSURE(number >= first_slot_ && number - first_slot_ < slots_.size(), "an HTTP answer to no request");
  auto& place = slots_[static_cast<std::size_t>(number - first_slot_)];
  ENSURE(!place.ready, "a second answer to one HTTP request");
  loop_.count_answer_bytes(0, answer.body.size());
  answers_charge_ += answer.body.size();
  place.ready = std::move(answer);
  collect_answers();
}

/// Moves the answers whose turn has come to what is to be sent.
void http_connection::collect_answers() {
  for (; !slots_.empty() && slots_.front().ready; slots_.pop_front(), ++first_slot_) {
    const auto& next = slots_.front();
    if (next.what == slot::kind::word_to_continue) {
      outgoing_ += "HTTP/1.1 100 Continue\r\n\r\n";
      continue;
    }
    outgoing_ += status_line(next.ready->status);
    outgoing_ += "Content-Type: application/json\r\nContent-Length: ";
    append_number(outgoing_, next.ready->body.size());
    if (next.ready->retry)
      outgoing_ += "\r\nRetry-After: 1";
    if (!next.ready->allow.empty())
      outgoing_.append("\r\nAllow: ").append(next.ready->allow);
    if (next.close)
      outgoing_ += "\r\nConnection: close";
    else if (next.say_keep_alive)
      outgoing_ += "\r\nConnection: keep-alive";
    outgoing_ += "\r\n\r\n";
    if (!next.head_only)
      outgoing_ += next.ready->body;
  }
}

void http_connection::resume() {
  send();
  while (!closed_ && !rest_.empty() && may_take_request() && !parser_.in_request()) {
    const auto before = rest_.size();
    on_input({});
    if (rest_.size() == before)
      break;
    send();
  }
  if (!closed_)
    read();
}

void http_connection::send() {
  if (sending_ || closed_)
    return;
  if (!outgoing_.empty()) {
    std::swap(outgoing_, being_sent_);
    sent_ = 0;
    socket_error error;
    // Mostly the socket takes all of it at once, and there is nothing to wait for.
    sent_ = socket_.write_some(asio::buffer(being_sent_), error);
    if (error && error != asio::error::would_block && error != asio::error::interrupted) {
      close();
      return;
    }
    if (sent_ < being_sent_.size()) {
      sending_ = true;
      send_rest();
      return;
    }
    sent_all();
  }
  if (last_ && slots_.empty())
    linger();
}

void http_connection::send_rest() {
  send_began_ = clock::now();
  const auto chunk = std::min(send_chunk_bytes, being_sent_.size() - sent_);
  asio::async_write(socket_, asio::buffer(being_sent_.data() + sent_, chunk),
                    [self = shared_from_this()](socket_error error, std::size_t bytes) {
                      if (self->closed_)
                        return;
                      if (error) {
                        self->close();
                        return;
                      }
                      self->sent_ += bytes;
                      if (self->sent_ < self->being_sent_.size()) {
                        self->send_rest();
                        return;
                      }
                      self->sending_ = false;
                      self->sent_all();
                      self->resume();
                    });
}

void http_connection::sent_all() {
  sent_ = 0;
  empty(being_sent_);
  // Answers are small or few: it is enough to give back what is counted when nothing waits any more.
  auto still = outgoing_.size();
  for (const auto& waiting : slots_)
    still += waiting.ready ? waiting.ready->body.size() : 0;
  loop_.count_answer_bytes(answers_charge_, still);
  answers_charge_ = still;
  idle_since_ = clock::now();
}

// --- ending
// ----------------------------------------------------------------------------------------------------

void http_connection::linger() {
  if (lingering_)
    return;
  lingering_ = true;
  linger_began_ = clock::now();
  socket_error error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  if (error || half_closed_)
    close();
}

void http_connection::check_deadlines(clock::time_point now) {
  const auto& options = loop_.options();
  if (lingering_) {
    if (now - linger_began_ > options.linger_timeout)
      close();
  } else if (sending_) {
    if (now - send_began_ > options.write_timeout)
      close();
  } else if (parser_.in_request() && !last_) {
    if (now - request_began_ > options.request_timeout) {
      refuse(error_answer(408, "request_timeout",
                          "The request did not come in within request_timeout (" +
                              std::to_string(options.request_timeout.count()) + " ms)."));
      resume();
    }
  } else if (quiet() && now - idle_since_ > options.idle_timeout) {
    close();
  }
}

void http_connection::drain() {
  if (closed_ || last_)
    return;
  if (parser_.in_request()) {
    refuse(error_answer(503, "shutting_down", "This node is stopping; the request was not executed."));
    resume();
  } else if (quiet()) {
    close();
  } else {
    last_ = true;
    if (!slots_.empty())
      slots_.back().close = true;
    resume();
  }
}

void http_connection::close() {
  if (closed_)
    return;
  closed_ = true;
  socket_error ignored;
  socket_.close(ignored);
  loop_.count_request_bytes(body_charge_, 0);
  loop_.count_answer_bytes(answers_charge_, 0);
  body_charge_ = answers_charge_ = 0;
  slots_.clear();
  loop_.forget(shared_from_this());
}

}  // namespace quorate
