#include "runtime/http_loop.hpp"

#include "runtime/listening_socket.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

namespace {

using std::chrono::milliseconds;

constexpr auto tick_max = milliseconds{250};
constexpr auto tick_min = milliseconds{5};
/// When the system has no more file descriptors.
constexpr auto accept_again_after = milliseconds{100};

}  // namespace

http_loop::http_loop(http_options options, http_backend backend)
    : options_(std::move(options)), backend_(std::move(backend)) {
  if (!options_.answers)
    options_.answers = std::make_shared<answer_budget>(options_.answer_bytes_max);
  date_.refresh();
}

http_loop::~http_loop() {
  // Connections refer to the loop while they close.
  waiting_.clear();
  for (const auto& connection : std::vector(connections_.begin(), connections_.end()))
    connection->close();
}

// --- from any thread
// -------------------------------------------------------------------------------------------

status http_loop::open(const std::string& address) {
  const auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  const auto service = colon == std::string::npos ? std::string{} : address.substr(colon + 1);
  std::uint16_t port = 0;
  const auto* const end = service.data() + service.size();
  const auto [stopped, not_a_port] = std::from_chars(service.data(), end, port);
  if (host.empty() || not_a_port != std::errc{} || stopped != end)
    return failure{errc::bad_config, "HTTP address \"" + address + "\" is not of the form host:port."};
  auto opened = listening_socket::open(host, port, "clients");
  if (auto* failed = std::get_if<failure>(&opened))
    return std::move(*failed);
  return listen(std::get<listening_socket>(std::move(opened)));
}

status http_loop::listen(listening_socket socket) {
  const auto v6 = socket.address().find(':') != std::string::npos;
  socket_error error;
  acceptor_.assign(v6 ? tcp::v6() : tcp::v4(), socket.release(), error);
  if (error)
    return failure{errc::io_failed, "cannot listen on " + socket.address() + " for clients: " + error.message()};
  port_ = acceptor_.local_endpoint(error).port();
  accept();
  tick();
  return std::nullopt;
}

void http_loop::stop() {
  asio::post(io_, [this] { drain(); });
}

void http_loop::answer(std::vector<client_reply> replies) {
  asio::post(io_, [this, replies = std::move(replies)]() mutable { deliver(std::move(replies)); });
}

http_figures http_loop::figures() const {
  return {open_, in_flight_, requests_, refused_};
}

// --- connections
// -----------------------------------------------------------------------------------------------

void http_loop::accept() {
  acceptor_.async_accept(
      [this](socket_error error, tcp::socket socket) { on_accepted(error, std::move(socket)); });
}

void http_loop::on_accepted(socket_error error, tcp::socket socket) {
  if (draining_ || error == asio::error::operation_aborted)
    return;
  if (error && error != asio::error::connection_aborted) {
    if (!accepting_failed_ && backend_.warn)
      backend_.warn("HTTP connections cannot be accepted: " + error.message() + ".");
    accepting_failed_ = true;
    accept_again_.expires_after(accept_again_after);
    accept_again_.async_wait([this](socket_error stopped) {
      if (!stopped && !draining_)
        accept();
    });
    return;
  }
  if (!error) {
    accepting_failed_ = false;
    socket_error failed;
    socket.non_blocking(true, failed);
    socket.set_option(tcp::no_delay{true}, failed);
    const auto full = connections_.size() >= options_.connections_max;
    if (full)
      count_refused();
    if (connections_.size() < options_.connections_max + options_.turned_away_max) {
      const auto connection = std::make_shared<http_connection>(std::move(socket), *this);
      connections_.insert(connection);
      if (full)
        connection->turn_away(error_answer(http_error::too_many_connections,
                                           "The node has reached connections_max (" +
                                               std::to_string(options_.connections_max) + ")."));
      else
        connection->start();
    }
    open_ = connections_.size();
  }
  accept();
}

void http_loop::tick() {
  const auto shortest = std::min({options_.idle_timeout, options_.request_timeout, options_.write_timeout,
                                  options_.linger_timeout, options_.drain_timeout, options_.unread_timeout});
  ticker_.expires_after(std::clamp(shortest / 4, tick_min, tick_max));
  ticker_.async_wait([this](socket_error stopped) {
    if (stopped)
      return;
    date_.refresh();
    const auto now = http_connection::clock::now();
    // A copy: connections that are closed leave the set.
    for (const auto& connection : std::vector(connections_.begin(), connections_.end()))
      if (!connection->closed())
        connection->check_deadlines(now);
    finish_if_drained();
    if (!io_.stopped())
      tick();
  });
}

// --- requests
// --------------------------------------------------------------------------------------------------

std::optional<http_answer> http_loop::dispatch(std::shared_ptr<http_connection> from, std::uint64_t slot,
                                               http_call call) {
  if (call.page == http_page::healthz) {
    const auto health = backend_.health();
    return health_answer(health.ok ? errc::ok : health.why, health.reason);
  }
  if (call.page == http_page::cluster)
    return cluster_answer(backend_.cluster());
  if (call.page == http_page::balancer) {
    const auto name = call.policy.name;
    return balancer_answer(name, backend_.balance ? backend_.balance(std::move(call.policy))
                                                  : failure{errc::not_founded, "There is no balancer here."});
  }
  if (draining_)
    return error_answer(http_error::shutting_down, "This node is stopping; the request was not executed.");
  // Reads have room of their own: those who do not fetch their answers must not stop those who write.
  const auto reads = call.page == http_page::log;
  if ((reads ? reads_waiting_ : waiting_.size() - reads_waiting_) >= options_.requests_in_flight_max) {
    count_refused();
    return error_answer(http_error::overloaded,
                        "The node has reached requests_in_flight_max (" +
                            std::to_string(options_.requests_in_flight_max) +
                            "); the request was not executed.");
  }
  const auto bytes = call.request.body.size();
  if (request_bytes_ + bytes > options_.request_bytes_max) {
    count_refused();
    return error_answer(http_error::overloaded,
                        "The node has reached request_bytes_max; the request was not executed.");
  }
  request_bytes_ += bytes;
  call.request.id = token{++last_token_};
  waiting_.emplace(last_token_, waiter{std::move(from), slot, bytes, call.page});
  reads_waiting_ += reads ? 1 : 0;
  in_flight_.store(waiting_.size(), std::memory_order_relaxed);
  // Behind everything that this turn of the loop has still to read.
  if (batch_.empty())
    asio::post(io_, [this] { submit(); });
  batch_.push_back(std::move(call.request));
  return std::nullopt;
}

void http_loop::submit() {
  auto batch = std::move(batch_);
  batch_.clear();
  backend_.submit(std::move(batch));
}

void http_loop::deliver(std::vector<client_reply> replies) {
  std::vector<std::shared_ptr<http_connection>> touched;
  touched.reserve(replies.size());
  for (auto& reply : replies) {
    const auto found = waiting_.find(reply.id.value);
    if (found == waiting_.end())
      continue;
    auto waited = std::move(found->second);
    waiting_.erase(found);
    request_bytes_ -= waited.bytes;
    reads_waiting_ -= waited.reads() ? 1 : 0;
    if (waited.connection->closed())
      continue;
    touched.push_back(waited.connection);
    deliver_one(std::move(reply), std::move(waited));
  }
  in_flight_.store(waiting_.size(), std::memory_order_relaxed);
  // One write for all answers of a connection; a second visit finds nothing to do.
  for (const auto& connection : touched)
    connection->resume();
  finish_if_drained();
}

void http_loop::deliver_one(client_reply reply, waiter waited) {
  auto answer = answer_of(waited.page, reply, options_.node);
  if (!waited.reads()) {
    waited.connection->answer(waited.slot, std::move(answer));
    return;
  }
  // The page that it was made from goes first. Only reads have large answers, and only they can be refused now
  // without a lie.
  reply.body = {};
  auto lease = answer_lease::take(options_.answers, answer.body.capacity());
  if (!lease) {
    count_refused();
    answer = error_answer(http_error::overloaded, "The node has reached answer_bytes_max.");
  }
  waited.connection->answer(waited.slot, std::move(answer), lease ? std::move(*lease) : answer_lease{});
}

// --- the end
// ---------------------------------------------------------------------------------------------------

void http_loop::drain() {
  if (draining_)
    return;
  draining_ = true;
  drain_until_ = http_connection::clock::now() + options_.drain_timeout;
  socket_error ignored;
  acceptor_.close(ignored);
  accept_again_.cancel(ignored);
  for (const auto& connection : std::vector(connections_.begin(), connections_.end()))
    connection->drain();
  finish_if_drained();
}

void http_loop::finish_if_drained() {
  open_ = connections_.size();
  if (!draining_ || (!connections_.empty() && http_connection::clock::now() < drain_until_))
    return;
  for (const auto& connection : std::vector(connections_.begin(), connections_.end()))
    connection->close();
  open_ = 0;
  io_.stop();
}

}  // namespace quorate
