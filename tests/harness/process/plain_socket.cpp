#include "tests/harness/process/plain_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace quorate::testing {

namespace {

using clock = std::chrono::steady_clock;

bool ready(int fd, short what, clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
  pollfd wait{fd, what, 0};
  return left >= 0 && ::poll(&wait, 1, static_cast<int>(left)) == 1;
}

}  // namespace

plain_socket::plain_socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

plain_socket::~plain_socket() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool plain_socket::send(std::string_view bytes) {
  const auto deadline = clock::now() + std::chrono::seconds{1};
  while (fd_ >= 0 && !bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      bytes.remove_prefix(static_cast<std::size_t>(n));
    else if ((errno != EAGAIN && errno != EINTR) || !ready(fd_, POLLOUT, deadline))
      return false;
  }
  return fd_ >= 0;
}

std::string plain_socket::receive(std::chrono::milliseconds wait) {
  const auto deadline = clock::now() + wait;
  std::string out;
  char buffer[4096];
  while (fd_ >= 0 && ready(fd_, POLLIN, deadline)) {
    const auto n = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n > 0)
      out.append(buffer, static_cast<std::size_t>(n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
      break;
  }
  return out;
}

bool plain_socket::closed_within(std::chrono::milliseconds wait) {
  const auto deadline = clock::now() + wait;
  char buffer[4096];
  while (fd_ >= 0 && ready(fd_, POLLIN, deadline)) {
    const auto n = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      return true;
  }
  return fd_ < 0;
}

}  // namespace quorate::testing
