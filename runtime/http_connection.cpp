#include "runtime/http_connection.hpp"

#include "actors/ensure.hpp"
#include "runtime/http_loop.hpp"
#include "runtime/json_text.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>

namespace quorate {

namespace {

/// A slow client must take this much within write_timeout.
constexpr std::size_t send_chunk_bytes = 256 * 1024;
/// Larger buffers are given back when they are empty.
constexpr std::size_t kept_buffer_bytes = 16 * 1024;

/// Answers from here on are not put together with others.
constexpr std::size_t small_answer_bytes = 16 * 1024;
/// Pieces that go to the system at once.
constexpr std::size_t gathered_max = 8;

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
  case 414:
    return "HTTP/1.1 414 URI Too Long\r\n";
  case 415:
    return "HTTP/1.1 415 Unsupported Media Type\r\n";
  case 417:
    return "HTTP/1.1 417 Expectation Failed\r\n";
  case 429:
    return "HTTP/1.1 429 Too Many Requests\r\n";
  case 431:
    return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
  case 501:
    return "HTTP/1.1 501 Not Implemented\r\n";
  case 503:
    return "HTTP/1.1 503 Service Unavailable\r\n";
  case 504:
    return "HTTP/1.1 504 Gateway Timeout\r\n";
  case 505:
    return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
  case 507:
    return "HTTP/1.1 507 Insufficient Storage\r\n";
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

http_connection::clock::time_point http_connection::due_by_default() const {
  return clock::now() + loop_.options().answer_timeout;
}

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
  const auto& options = loop_.options();
  return !last_ && slots_.size() < options.pipeline_max && reads_ < options.pipelined_reads_max &&
         unsent_ < options.unsent_bytes_max;
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
        slots_.push_back({.what = slot::kind::word_to_continue, .due = due_by_default(), .ready = http_answer{}});
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
    refuse(error_answer(http_error::overloaded,
                        "The node has reached request_bytes_max; the request was not executed."));
  }
}

void http_connection::take_request() {
  if (last_)
    return;
  loop_.count_request();
  const auto keep = parser_.keep_alive() && !loop_.draining();
  slots_.push_back({.close = !keep,
                    .head_only = parser_.method() == "HEAD",
                    .say_keep_alive = keep && parser_.is_http_1_0(),
                    .due = due_by_default(),
                    .ready = {}});
  last_ = !keep;
  // From here on the body is counted as a request in flight.
  loop_.count_request_bytes(body_charge_, 0);
  body_charge_ = 0;
  const auto number = first_slot_ + slots_.size() - 1;
  auto parsed =
      parse_call(parser_.method(), parser_.target(), parser_.body(), loop_.options().answer_timeout);
  if (auto* call = std::get_if<http_call>(&parsed)) {
    slots_.back().reads = call->page == http_page::log;
    reads_ += slots_.back().reads ? 1 : 0;
    if (call->request.timeout > duration{0})
      slots_.back().due = clock::now() + call->request.timeout;
    if (auto at_once = loop_.dispatch(shared_from_this(), number, std::move(*call)))
      answer(number, std::move(*at_once));
  } else {
    answer(number, std::move(std::get<http_answer>(parsed)));
  }
}

/// The last answer of this connection, to whatever was coming in.
void http_connection::refuse(http_answer answer) {
  last_ = true;
  // The method is that of the request that could not be read, if so much of it was there.
  slots_.push_back(
      {.close = true, .head_only = parser_.method() == "HEAD", .due = due_by_default(), .ready = {}});
  this->answer(first_slot_ + slots_.size() - 1, std::move(answer));
}

// --- answering
// -------------------------------------------------------------------------------------------------

void http_connection::answer(std::uint64_t number, http_answer answer, answer_lease lease) {
  if (closed_)
    return;
  ENSURE(number >= first_slot_ && number - first_slot_ < slots_.size(), "an HTTP answer to no request");
  auto& place = slots_[static_cast<std::size_t>(number - first_slot_)];
  ENSURE(!place.ready, "a second answer to one HTTP request");
  place.ready = std::move(answer);
  place.lease = std::move(lease);
  collect_answers();
}

/// Moves the answers whose turn has come to what is to be sent.
void http_connection::collect_answers() {
  for (; !slots_.empty() && slots_.front().ready; slots_.pop_front(), ++first_slot_) {
    auto& next = slots_.front();
    reads_ -= next.reads ? 1 : 0;
    if (next.what == slot::kind::word_to_continue) {
      constexpr std::string_view word = "HTTP/1.1 100 Continue\r\n\r\n";
      small_piece(next.due) += word;
      unsent_ += word.size();
    } else {
      put_out(next);
    }
  }
}

/// What may still take a small answer.
std::string& http_connection::small_piece(clock::time_point due) {
  if (outgoing_.empty() || outgoing_.back().bytes.size() >= small_answer_bytes)
    outgoing_.push_back({.bytes = {}, .due = due});
  else if (outgoing_.back().bytes.empty())
    outgoing_.back().due = due;
  return outgoing_.back().bytes;
}

void http_connection::put_out(slot& next) {
  auto& answer = *next.ready;
  auto& out = small_piece(next.due);
  const auto before = out.size();
  out += status_line(answer.status);
  out.append("Date: ").append(loop_.date());
  if (!answer.body.empty())
    out += "\r\nContent-Type: application/json";
  out += "\r\nContent-Length: ";
  append_number(out, answer.body.size());
  if (answer.retry)
    out += "\r\nRetry-After: 1";
  if (!answer.allow.empty())
    out.append("\r\nAllow: ").append(answer.allow);
  if (next.close)
    out += "\r\nConnection: close";
  else if (next.say_keep_alive)
    out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
  unsent_ += out.size() - before;
  if (next.head_only)
    return;
  unsent_ += answer.body.size();
  if (answer.body.size() < small_answer_bytes)
    out += answer.body;
  else
    outgoing_.push_back({std::move(answer.body), std::move(next.lease), next.due});
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

/// Mostly the socket takes all of it at once, and there is nothing to wait for.
void http_connection::send() {
  if (sending_ || closed_)
    return;
  while (unsent_ > 0) {
    socket_error error;
    const auto bytes = write_some(error);
    if (error == asio::error::would_block) {
      sending_ = true;
      taken_at_ = chunk_began_ = clock::now();
      chunk_from_ = acknowledged_;
      wait_to_write();
      return;
    }
    if (error && error != asio::error::interrupted) {
      close();
      return;
    }
    taken(bytes);
  }
  if (last_ && slots_.empty())
    linger();
}

std::size_t http_connection::write_some(socket_error& error) {
  std::array<asio::const_buffer, gathered_max> buffers;
  std::size_t count = 0;
  for (const auto& p : outgoing_) {
    const auto from = count == 0 ? sent_ : 0;
    buffers[count++] = asio::buffer(p.bytes.data() + from, p.bytes.size() - from);
    if (count == gathered_max)
      break;
  }
  return socket_.write_some(buffers, error);
}

void http_connection::taken(std::size_t bytes) {
  unsent_ -= bytes;
  sent_ += bytes;
  written_ += bytes;
  while (!outgoing_.empty() && sent_ >= outgoing_.front().bytes.size()) {
    sent_ -= outgoing_.front().bytes.size();
    if (outgoing_.size() > 1) {
      outgoing_.pop_front();
      continue;
    }
    // The next answer finds its buffer ready.
    outgoing_.front().lease = {};
    empty(outgoing_.front().bytes);
    break;
  }
  if (unsent_ == 0)
    idle_since_ = clock::now();
}

void http_connection::wait_to_write() {
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](socket_error error) {
    if (self->closed_)
      return;
    if (error) {
      self->close();
      return;
    }
    socket_error failed;
    const auto bytes = self->write_some(failed);
    if (failed && failed != asio::error::would_block && failed != asio::error::interrupted) {
      self->close();
      return;
    }
    self->taken(bytes);
    if (self->unsent_ > 0) {
      self->wait_to_write();
      return;
    }
    self->sending_ = false;
    self->resume();
  });
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
    note_acknowledged(now);
    const auto unread = now > outgoing_.front().due && now - taken_at_ > options.unread_timeout;
    if (unread || now - chunk_began_ > options.write_timeout)
      close();
  } else if (parser_.in_request() && !last_) {
    if (now - request_began_ > options.request_timeout) {
      refuse(error_answer(http_error::request_timeout,
                          "The request did not come in within request_timeout (" +
                              std::to_string(options.request_timeout.count()) + " ms)."));
      resume();
    }
  } else if (quiet() && now - idle_since_ > options.idle_timeout) {
    close();
  }
}

/// What the socket has taken from us says little: its buffer is large, and it asks for more only when a good part of it
/// is free. What the client has taken is what the client's side has acknowledged.
void http_connection::note_acknowledged(clock::time_point now) {
  int waiting = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &waiting) != 0 || waiting < 0)
    return;
  const auto acknowledged = written_ - static_cast<std::uint64_t>(waiting);
  if (acknowledged == acknowledged_)
    return;
  acknowledged_ = acknowledged;
  taken_at_ = now;
  if (acknowledged_ - chunk_from_ >= send_chunk_bytes) {
    chunk_from_ = acknowledged_;
    chunk_began_ = now;
  }
}

void http_connection::drain() {
  if (closed_ || last_)
    return;
  if (parser_.in_request()) {
    refuse(error_answer(http_error::shutting_down, "This node is stopping; the request was not executed."));
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
  body_charge_ = unsent_ = 0;
  slots_.clear();
  outgoing_.clear();
  loop_.forget(shared_from_this());
}

}  // namespace quorate
