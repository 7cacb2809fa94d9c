#include "runtime/transport_probe.hpp"

#include "runtime/ip_address.hpp"
#include "runtime/name_lookup.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace quorate {

namespace {

/// The next attempt gets what comes later.
constexpr std::chrono::milliseconds lookup_timeout{1'000};

bool connect_within(int fd, const sockaddr* address, socklen_t size, std::chrono::milliseconds timeout) {
  if (::connect(fd, address, size) == 0)
    return true;
  if (errno != EINPROGRESS)
    return false;
  pollfd wait{fd, POLLOUT, 0};
  if (::poll(&wait, 1, static_cast<int>(timeout.count())) != 1)
    return false;
  int error = 0;
  socklen_t length = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

int connect_to_address(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout) {
  const auto at = socket_address::of(address, port);
  if (!at)
    return -1;
  const int fd = ::socket(at->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if (connect_within(fd, at->get(), at->size(), timeout))
    return fd;
  ::close(fd);
  return -1;
}

}  // namespace

int connect_to(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  const auto found = system_lookup().find(host, lookup_timeout);
  const auto* addresses = std::get_if<std::vector<std::string>>(&found);
  if (addresses == nullptr)
    return -1;
  for (std::size_t i = 0; i < addresses->size() && i < name_lookup::addresses_max; ++i)
    if (const auto fd = connect_to_address((*addresses)[i], port, timeout); fd >= 0)
      return fd;
  return -1;
}

}  // namespace quorate
