// http_load: appends to running nodes over keep-alive connections, and says how fast that was.
//
//   http_load --addresses=127.0.0.1:8101,127.0.0.1:8102,127.0.0.1:8103 --connections=64 --seconds=10
//   --bytes=100
//
// Each connection has one request in flight and stays with its address; one thread, one epoll.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto reconnect_after = milliseconds{100};
constexpr auto answer_within = milliseconds{10'000};
constexpr auto drain_within = milliseconds{6'000};  // the nodes' default deadline and a second

struct options {
  std::vector<sockaddr_in> addresses;
  std::size_t connections = 64;
  std::uint64_t seconds = 10;
  std::size_t bytes = 100;  // of a value
};

struct results {
  std::vector<std::chrono::nanoseconds> latencies;  // of acknowledged requests
  std::map<unsigned, std::uint64_t> errors;         // by status; 0: no answer
  clock_type::time_point first{};
  clock_type::time_point last{};
  std::chrono::nanoseconds longest_gap{};

  void acknowledge(clock_type::time_point sent, clock_type::time_point now) {
    latencies.push_back(now - sent);
    if (latencies.size() == 1)
      first = now;
    else
      longest_gap = std::max<std::chrono::nanoseconds>(longest_gap, now - last);
    last = now;
  }
};

/// One client. Invariant: at most one request in flight.
class connection {
public:
  connection(int epoll, const sockaddr_in& address, std::size_t number, std::size_t bytes, results& seen)
      : epoll_(epoll), address_(address), name_("load" + std::to_string(number)), bytes_(bytes), seen_(seen) {
  }
  ~connection() { close(); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) != 0 &&
        errno != EINPROGRESS) {
      fail();
      return;
    }
    connecting_ = true;
    watch(EPOLL_CTL_ADD, EPOLLOUT);
  }

  void on_event(std::uint32_t events, bool may_ask) {
    if (connecting_) {
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        fail();
        return;
      }
      connecting_ = false;
      watch(EPOLL_CTL_MOD, EPOLLIN);
      if (may_ask)
        ask();
      return;
    }
    if (!unsent_.empty() && (events & EPOLLOUT) != 0)
      send();
    if (fd_ >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
      receive(may_ask);
  }

  /// Connects again when it is time, and gives up what takes too long.
  void check(clock_type::time_point now, bool may_ask) {
    if (fd_ < 0 && may_ask && now >= again_at_)
      open();
    else if (waiting() && now - sent_at_ > answer_within)
      fail();
  }

  [[nodiscard]] bool waiting() const { return fd_ >= 0 && in_flight_; }

private:
  void watch(int what, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    ::epoll_ctl(epoll_, what, fd_, &event);
  }

  void ask() {
    std::string value = name_ + "-" + std::to_string(++asked_);
    value.resize(std::max(value.size(), bytes_), '.');
    const auto body = R"({"key":")" + name_ + R"(","value":")" + value + "\"}";
    unsent_ = "POST /append_log HTTP/1.1\r\nHost: node\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body;
    in_flight_ = true;
    sent_at_ = clock_type::now();
    send();
  }

  void send() {
    const auto n = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      fail();
      return;
    }
    const auto had_to_wait = blocked_;
    unsent_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    blocked_ = !unsent_.empty();
    if (blocked_ != had_to_wait)
      watch(EPOLL_CTL_MOD, blocked_ ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void receive(bool may_ask) {
    std::array<char, 16'384> buffer;
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      if (n == 0 || (errno != EAGAIN && errno != EINTR))
        fail();
      return;
    }
    input_.append(buffer.data(), static_cast<std::size_t>(n));
    const auto head = input_.find("\r\n\r\n");
    if (head == input_.npos)
      return;
    const auto length_at = input_.find("Content-Length: ");
    std::size_t length = 0;
    unsigned status = 0;
    if (length_at < head)
      std::from_chars(input_.data() + length_at + 16, input_.data() + head, length);
    std::from_chars(input_.data() + 9, input_.data() + 12, status);
    if (input_.size() < head + 4 + length)
      return;
    const auto closes = input_.find("Connection: close") < head;
    input_.clear();
    in_flight_ = false;
    if (status == 200)
      seen_.acknowledge(sent_at_, clock_type::now());
    else
      ++seen_.errors[status];
    if (closes)
      close();
    else if (may_ask)
      ask();
  }

  void fail() {
    ++seen_.errors[0];
    close();
  }

  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
    connecting_ = in_flight_ = blocked_ = false;
    input_.clear();
    unsent_.clear();
    again_at_ = clock_type::now() + reconnect_after;
  }

  int epoll_;
  sockaddr_in address_;
  std::string name_;
  std::size_t bytes_;
  results& seen_;
  int fd_ = -1;
  bool connecting_ = false;
  bool in_flight_ = false;
  bool blocked_ = false;
  std::uint64_t asked_ = 0;
  std::string unsent_;
  std::string input_;
  clock_type::time_point sent_at_{};
  clock_type::time_point again_at_{};
};

bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number > 0 && number <= most;
}

bool read_addresses(std::string_view text, std::vector<sockaddr_in>& addresses) {
  addresses.clear();
  while (!text.empty()) {
    const auto one = std::string{text.substr(0, text.find(','))};
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const auto colon = one.rfind(':');
    std::uint64_t port = 0;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (colon == one.npos || !read_number(std::string_view{one}.substr(colon + 1), 65'535, port) ||
        ::inet_pton(AF_INET, one.substr(0, colon).c_str(), &address.sin_addr) != 1)
      return false;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    addresses.push_back(address);
  }
  return !addresses.empty();
}

/// Whether all words make sense; the first that does not is printed.
bool read_options(int argc, char** argv, options& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    const auto equals = std::min(word.find('='), word.size());
    const auto name = word.substr(0, equals);
    const auto value = word.substr(std::min(equals + 1, word.size()));
    std::uint64_t number = 0;
    auto good = false;
    if (name == "--addresses") {
      good = read_addresses(value, out.addresses);
    } else if (name == "--connections" && (good = read_number(value, 10'000, number))) {
      out.connections = number;
    } else if (name == "--seconds" && (good = read_number(value, 86'400, number))) {
      out.seconds = number;
    } else if (name == "--bytes" && (good = read_number(value, 500'000, number))) {
      out.bytes = number;
    }
    if (!good) {
      std::fprintf(stderr, "http_load: cannot use \"%s\"\n", argv[i]);
      return false;
    }
  }
  if (out.addresses.empty())
    std::fprintf(
        stderr, "usage: http_load --addresses=IP:PORT,... [--connections=64] [--seconds=10] [--bytes=100]\n");
  return !out.addresses.empty();
}

double in_ms(std::chrono::nanoseconds d) {
  return static_cast<double>(d.count()) / 1e6;
}

void print(const options& opts, results& seen, std::chrono::nanoseconds took) {
  auto& all = seen.latencies;
  std::sort(all.begin(), all.end());
  const auto at = [&](double part) {
    return all.empty() ? 0.0
                       : in_ms(all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))]);
  };
  std::printf(
      "connections %zu, value bytes %zu: %.0f appends/s, p50 %.2f ms, p99 %.2f ms, max %.2f ms, longest gap "
      "%.2f ms, acknowledged %zu\n",
      opts.connections, opts.bytes, static_cast<double>(all.size()) * 1e3 / in_ms(took), at(0.5), at(0.99),
      at(1.0), in_ms(seen.longest_gap), all.size());
  for (const auto& [status, count] : seen.errors)
    std::printf("  %s: %llu\n", status == 0 ? "no answer" : ("status " + std::to_string(status)).c_str(),
                static_cast<unsigned long long>(count));
}

}  // namespace

int main(int argc, char** argv) {
  options opts;
  if (!read_options(argc, argv, opts))
    return 2;
  const auto epoll = ::epoll_create1(EPOLL_CLOEXEC);
  results seen;
  std::vector<std::unique_ptr<connection>> clients;
  const auto start = clock_type::now();
  const auto end = start + std::chrono::seconds{opts.seconds};
  for (std::size_t i = 0; i < opts.connections; ++i) {
    clients.push_back(
        std::make_unique<connection>(epoll, opts.addresses[i % opts.addresses.size()], i, opts.bytes, seen));
    clients.back()->open();
  }
  std::array<epoll_event, 256> events;
  auto checked = start;
  auto now = start;
  // Those in flight at the end are waited for, so that none of them counts as failed.
  while (now < end || (now < end + drain_within && std::any_of(clients.begin(), clients.end(),
                                                               [](const auto& c) { return c->waiting(); }))) {
    const auto n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10);
    now = clock_type::now();
    for (int i = 0; i < n; ++i)
      static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr)
          ->on_event(events[static_cast<std::size_t>(i)].events, now < end);
    if (now - checked > milliseconds{20}) {
      checked = now;
      for (const auto& c : clients)
        c->check(now, now < end);
    }
  }
  print(opts, seen, seen.last - start);
  clients.clear();
  ::close(epoll);
  return seen.latencies.empty() ? 1 : 0;
}
