#include "runtime/listening_socket.hpp"

#include "runtime/ip_address.hpp"
#include "runtime/name_lookup.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quorate {

namespace {

constexpr std::chrono::seconds looked_up_within{5};

/// Binds and listens; the descriptor, or -1 and errno.
int listen_at(const socket_address& at) {
  const auto fd = ::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  const int yes = 1;
  const int no = 0;
  // The address of a process that was killed may be taken at once; a second listener is still refused.
  auto good = ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0;
  if (good && at.family() == AF_INET6)
    good = ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == 0;
  if (good && ::bind(fd, at.get(), at.size()) == 0 && ::listen(fd, SOMAXCONN) == 0)
    return fd;
  const auto error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

std::string reason(int error) {
  switch (error) {
  case EADDRINUSE:
    return "it is in use by another process";
  case EADDRNOTAVAIL:
    return "the address is not one of this machine";
  case EACCES:
  case EPERM:
    return "this user may not use the port";
  case EAFNOSUPPORT:
    return "this machine does not speak IPv6";
  default:
    return std::strerror(error);
  }
}

}  // namespace

std::variant<listening_socket, failure> listening_socket::open(const std::string& host, std::uint16_t port,
                                                               const std::string& purpose) {
  const auto cannot = [&](const std::string& why, errc code) {
    return failure{code, "cannot listen on " + endpoint(host, port) + " for " + purpose + ": " + why};
  };
  const auto found = system_lookup().find(host, looked_up_within);
  if (const auto* failed = std::get_if<failure>(&found))
    return cannot("the name " + failed->message, errc::io_failed);
  // A name stands for one address here: of several, which one others reach is not for this machine to guess.
  const auto& address = std::get<std::vector<std::string>>(found).front();
  const auto at = socket_address::of(address, port);
  const auto fd = at ? listen_at(*at) : -1;
  if (fd >= 0)
    return listening_socket{fd, address};
  const auto error = at ? errno : EINVAL;
  const auto which = address == host ? std::string{} : host + " is " + address + " here: ";
  return cannot(which + reason(error), error == EADDRINUSE ? errc::in_use : errc::io_failed);
}

listening_socket::~listening_socket() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

listening_socket& listening_socket::operator=(listening_socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(address_, other.address_);
  return *this;
}

}  // namespace quorate
