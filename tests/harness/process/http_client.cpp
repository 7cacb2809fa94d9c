#include "tests/harness/process/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace quorate::testing {

namespace {

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view prefix) {
  const auto at = text.find(prefix);
  if (at == text.npos)
    return std::nullopt;
  text.remove_prefix(at + prefix.size());
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

}  // namespace

bool http_reply::has_field(std::string_view name) const {
  return header.find("\r\n" + std::string{name} + ":") != header.npos;
}

http_client::http_client(http_client&& other) noexcept
    : node_(other.node_), patience_(other.patience_), fd_(std::exchange(other.fd_, -1)), sent_(other.sent_),
      input_(std::move(other.input_)) {}

void http_client::disconnect() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
  input_.clear();
}

bool http_client::ready(short what, clock::time_point deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now()).count();
    pollfd one{fd_, what, 0};
    const auto n = ::poll(&one, 1, static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (n > 0)
      return true;
    if (n == 0 || errno != EINTR)
      return false;
  }
}

bool http_client::stale() const {
  pollfd one{fd_, POLLIN, 0};
  return !input_.empty() || ::poll(&one, 1, 0) != 0;
}

bool http_client::connect(clock::time_point deadline) {
  if (fd_ >= 0 && !stale())
    return true;
  disconnect();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(node_.port);
  if (::inet_pton(AF_INET, node_.host.c_str(), &address.sin_addr) != 1) {
    disconnect();
    return false;
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return true;
  int error = errno;
  if (error == EINPROGRESS && ready(POLLOUT, deadline)) {
    socklen_t size = sizeof(error);
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
      return true;
  }
  disconnect();
  return false;
}

bool http_client::send(std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    if (!ready(POLLOUT, deadline))
      return false;
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n <= 0)
      return false;
    sent_ = true;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool http_client::read_some(clock::time_point deadline) {
  std::array<char, 65536> buffer;
  while (ready(POLLIN, deadline)) {
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n > 0) {
      input_.append(buffer.data(), static_cast<std::size_t>(n));
      return true;
    }
    if (n == 0 || (errno != EINTR && errno != EAGAIN))
      return false;
  }
  return false;
}

std::optional<http_reply> http_client::receive(clock::time_point deadline) {
  while (input_.find("\r\n\r\n") == input_.npos)
    if (!read_some(deadline))
      return std::nullopt;
  http_reply reply;
  const auto end = input_.find("\r\n\r\n") + 4;
  reply.header = input_.substr(0, end);
  const auto status = number_after(reply.header, "HTTP/1.1 ");
  const auto length = number_after(reply.header, "\r\nContent-Length: ");
  if (!status || !length)
    return std::nullopt;
  reply.status = static_cast<unsigned>(*status);
  while (input_.size() < end + *length)
    if (!read_some(deadline))
      return std::nullopt;
  reply.body = input_.substr(end, *length);
  input_.erase(0, end + *length);
  return reply;
}

std::optional<http_reply> http_client::raw(std::string_view bytes) {
  sent_ = false;
  const auto deadline = clock::now() + patience_;
  if (!connect(deadline))
    return std::nullopt;
  // A node that refuses a request closes before it has read all of it: its answer is there all the same.
  static_cast<void>(send(bytes, deadline));
  auto reply = receive(deadline);
  if (!reply || reply->header.find("\r\nConnection: close") != std::string::npos)
    disconnect();
  return reply;
}

std::optional<http_reply> http_client::request(std::string_view method, std::string_view target,
                                               std::string_view body) {
  std::string text;
  text.reserve(128 + target.size() + body.size());
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  if (!body.empty() || method == "POST")
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text.append("\r\n").append(body);
  return raw(text);
}

}  // namespace quorate::testing
