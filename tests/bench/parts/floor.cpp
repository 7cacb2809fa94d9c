#include "tests/bench/parts/floor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>

namespace quorate::bench {

namespace {

constexpr std::size_t file_bytes = 64 * 1024 * 1024;
constexpr std::size_t read_bytes = 1024 * 1024;
constexpr std::size_t block = 4'096;

/// What goes before a batch on its way to the others.
struct batch_head {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

/// Two ends of one loopback connection; -1 where there is none.
std::array<int, 2> connection() {
  const auto listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  std::array<int, 2> ends{-1, -1};
  if (::bind(listener, any, size) == 0 && ::listen(listener, 1) == 0 &&
      ::getsockname(listener, any, &size) == 0) {
    ends[0] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(ends[0], any, size) == 0)
      ends[1] = ::accept(listener, nullptr, nullptr);
    const int on = 1;
    for (const auto end : ends)
      ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ::close(listener);
  return ends;
}

bool send_all(int fd, const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const auto n = ::send(fd, at, bytes, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_all(int fd, void* data, std::size_t bytes) {
  return ::recv(fd, data, bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
}

/// A file to which batches are appended; a preallocated one begins again at its start when it is full.
class batch_file {
public:
  batch_file(const std::filesystem::path& path, bool preallocated) : preallocated_(preallocated) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!preallocated)
      return;
    const std::vector<char> zeros(read_bytes);
    for (std::size_t at = 0; at < file_bytes; at += zeros.size())
      good_ = good_ && ::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0;
    good_ = good_ && ::fsync(fd_) == 0;
  }
  ~batch_file() { ::close(fd_); }
  batch_file(const batch_file&) = delete;
  batch_file& operator=(const batch_file&) = delete;

  [[nodiscard]] bool append(const void* data, std::size_t bytes) {
    if (preallocated_ && at_ + bytes > file_bytes)
      at_ = 0;
    good_ = good_ && ::pwrite(fd_, data, bytes, static_cast<off_t>(at_)) == static_cast<ssize_t>(bytes) &&
            ::fdatasync(fd_) == 0;
    at_ += bytes;
    return good_;
  }

private:
  bool preallocated_;
  int fd_;
  std::size_t at_ = 0;
  bool good_ = true;
};

/// One of the two others.
void echo(int from, batch_file& file) {
  batch_head head;
  std::vector<char> bytes;
  while (receive_all(from, &head, sizeof head)) {
    bytes.resize(head.bytes);
    if (!receive_all(from, bytes.data(), bytes.size()) || !file.append(bytes.data(), bytes.size()) ||
        !send_all(from, &head.number, sizeof head.number))
      return;
  }
}

/// Waits until one of the others has batch `number`.
bool await(const std::array<int, 2>& others, std::uint64_t number) {
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{others[0], POLLIN, 0}, pollfd{others[1], POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0)
      return false;
    auto done = false;
    for (const auto& one : ready) {
      std::uint64_t has = 0;
      if (one.revents == 0)
        continue;
      if (!receive_all(one.fd, &has, sizeof has))
        return false;
      done = done || has == number;
    }
    if (done)
      return true;
  }
}

/// The process that the client talks to.
void serve(int client, const std::array<int, 2>& others, std::size_t bytes, batch_file& file) {
  std::vector<char> input(read_bytes);
  std::size_t held = 0;
  for (std::uint64_t number = 1;; ++number) {
    while (held < bytes) {
      const auto n = ::recv(client, input.data() + held, input.size() - held, 0);
      if (n <= 0)
        return;
      held += static_cast<std::size_t>(n);
    }
    const auto count = held / bytes;
    const batch_head head{number, count * bytes};
    for (const auto other : others)
      if (!send_all(other, &head, sizeof head) || !send_all(other, input.data(), head.bytes))
        return;
    if (!file.append(input.data(), head.bytes) || !await(others, number) ||
        !send_all(client, &count, sizeof count))
      return;
    held -= head.bytes;
    std::memmove(input.data(), input.data() + head.bytes, held);
  }
}

/// Keeps so many operations outstanding for a while.
speed ask(int server, std::size_t outstanding, const floor_plan& plan) {
  std::deque<steady::time_point> asked;
  std::vector<nanoseconds> took;
  const std::vector<char> operations(std::max(outstanding, block) * plan.bytes, 'x');
  const auto start = steady::now();
  const auto end = start + plan.length;
  auto now = start;
  auto more = outstanding;
  while (now < end || !asked.empty()) {
    if (now < end && more > 0) {
      asked.insert(asked.end(), more, now);
      if (!send_all(server, operations.data(), more * plan.bytes))
        return {};
    }
    std::size_t count = 0;
    if (!receive_all(server, &count, sizeof count))
      return {};
    now = steady::now();
    for (std::size_t i = 0; i < count; ++i) {
      took.push_back(now - asked.front());
      asked.pop_front();
    }
    more = count;
  }
  return speed_of(std::move(took), now - start);
}

}  // namespace

std::vector<speed> measure_floor(const floor_plan& plan) {
  // Client to one, one to two, one to three.
  std::array<std::array<int, 2>, 3> links;
  for (auto& link : links)
    link = connection();
  const auto parent = ::getpid();
  std::array<pid_t, 3> processes{};
  std::array<std::filesystem::path, 3> files;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    files[i] = plan.directory / ("floor" + std::to_string(i));
    processes[i] = ::fork();
    if (processes[i] != 0)
      continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // An end that stays open in another process would keep this one from seeing that its peer has gone.
    for (std::size_t link = 0; link < links.size(); ++link)
      for (std::size_t end = 0; end < 2; ++end)
        if (!(end == 1 && link == i) && !(end == 0 && i == 0 && link > 0))
          ::close(links[link][end]);
    if (::getppid() == parent) {
      batch_file file{files[i], plan.preallocated};
      if (i == 0)
        serve(links[0][1], {links[1][0], links[2][0]}, plan.bytes, file);
      else
        echo(links[i][1], file);
    }
    ::_exit(0);
  }
  for (std::size_t link = 0; link < links.size(); ++link)
    for (std::size_t end = 0; end < 2; ++end)
      if (link > 0 || end > 0)
        ::close(links[link][end]);
  std::vector<speed> results;
  // The files are made while nobody measures.
  auto warm = plan;
  warm.length = std::chrono::milliseconds{200};
  if (ask(links[0][0], 1, warm).count > 0)
    for (const auto outstanding : plan.outstanding) {
      results.push_back(ask(links[0][0], outstanding, plan));
      if (results.back().count == 0) {
        results.clear();
        break;
      }
    }
  ::close(links[0][0]);
  for (const auto process : processes)
    if (process > 0)
      ::waitpid(process, nullptr, 0);
  for (const auto& file : files)
    std::filesystem::remove(file);
  return results;
}

}  // namespace quorate::bench
