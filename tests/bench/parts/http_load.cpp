#include "tests/bench/parts/http_load.hpp"

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
#include <memory>
#include <string_view>

namespace quorate::bench {

namespace {

using std::chrono::milliseconds;

constexpr auto reconnect_after = milliseconds{100};
constexpr auto answer_within = milliseconds{30'000};
constexpr auto look_every = milliseconds{20};

std::string base64(std::string_view in) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < in.size() ? static_cast<unsigned>(static_cast<unsigned char>(in[i + k])) : 0U;
    };
    const auto bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= in.size() - i ? digits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string question(service what, const std::string& name, std::string value) {
  auto etcd = what == service::etcd;
  const auto body = R"({"key":")" + (etcd ? base64(name) : name) + R"(","value":")" +
                    (etcd ? base64(value) : value) + "\"}";
  return std::string{"POST "} + (etcd ? "/v3/kv/put" : "/append_log") +
         " HTTP/1.1\r\nHost: node\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// One client. Invariant: at most one request in flight.
class connection {
public:
  connection(int epoll, const load_plan& plan, std::size_t number, load_results& seen,
             std::atomic<std::uint64_t>& count)
      : epoll_(epoll), plan_(plan), node_(static_cast<std::uint32_t>(number % plan.nodes.size())),
        name_("load" + std::to_string(number)), seen_(seen), count_(count) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(plan.nodes[node_].port);
    ::inet_pton(AF_INET, plan.nodes[node_].host.c_str(), &address_.sin_addr);
  }
  ~connection() { close(); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sent_at_ = steady::now();
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
  void check(steady::time_point now, bool may_ask) {
    if (fd_ < 0 && may_ask && now >= again_at_)
      open();
    else if (fd_ >= 0 && (connecting_ || in_flight_) && now - sent_at_ > answer_within)
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
    auto value = name_ + "-" + std::to_string(++asked_);
    value.resize(std::max(value.size(), plan_.bytes), '.');
    unsent_ = question(plan_.what, name_, std::move(value));
    in_flight_ = true;
    sent_at_ = steady::now();
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
    const auto now = steady::now();
    if (status != 200) {
      ++seen_.errors[status];
    } else {
      ++count_;
      if (plan_.remember)
        seen_.acknowledged.push_back({now, now - sent_at_, node_});
    }
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
    again_at_ = steady::now() + reconnect_after;
  }

  int epoll_;
  const load_plan& plan_;
  std::uint32_t node_;
  sockaddr_in address_{};
  std::string name_;
  load_results& seen_;
  std::atomic<std::uint64_t>& count_;
  int fd_ = -1;
  bool connecting_ = false;
  bool in_flight_ = false;
  bool blocked_ = false;
  std::uint64_t asked_ = 0;
  std::string unsent_;
  std::string input_;
  steady::time_point sent_at_{};
  steady::time_point again_at_{};
};

}  // namespace

speed load_results::between(steady::time_point from, steady::time_point to,
                            const std::vector<std::uint32_t>& nodes) const {
  std::vector<nanoseconds> took;
  for (const auto& a : acknowledged)
    if (a.at >= from && a.at < to &&
        (nodes.empty() || std::find(nodes.begin(), nodes.end(), a.node) != nodes.end()))
      took.push_back(a.took);
  return speed_of(std::move(took), to - from);
}

nanoseconds load_results::longest_gap(const std::vector<std::uint32_t>& nodes, steady::time_point from,
                                      steady::time_point to) const {
  auto last = from;
  nanoseconds longest{};
  for (const auto& a : acknowledged)
    if (a.at >= from && a.at < to && std::find(nodes.begin(), nodes.end(), a.node) != nodes.end()) {
      longest = std::max<nanoseconds>(longest, a.at - last);
      last = a.at;
    }
  return std::max<nanoseconds>(longest, to - last);
}

http_load::http_load(load_plan plan) : plan_(std::move(plan)) {
  results_.start = steady::now();
  thread_ = std::thread{[this] { run(); }};
}

http_load::~http_load() {
  asking_ = false;
  if (thread_.joinable())
    thread_.join();
}

load_results http_load::stop(milliseconds drain) {
  drain_ms_ = drain.count();
  asking_ = false;
  thread_.join();
  return std::move(results_);
}

void http_load::run() {
  const auto epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<connection>> clients;
  for (std::size_t i = 0; i < plan_.clients; ++i) {
    clients.push_back(std::make_unique<connection>(epoll, plan_, i, results_, count_));
    clients.back()->open();
  }
  std::array<epoll_event, 256> events;
  auto now = results_.start;
  auto checked = now;
  auto asking = true;
  const auto in_flight = [&] {
    return std::any_of(clients.begin(), clients.end(), [](const auto& c) { return c->waiting(); });
  };
  while (asking || (now < results_.end + milliseconds{drain_ms_} && in_flight())) {
    const auto n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10);
    now = steady::now();
    if (asking && !asking_) {
      asking = false;
      results_.end = now;
    }
    for (int i = 0; i < n; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      static_cast<connection*>(event.data.ptr)->on_event(event.events, asking);
    }
    if (now - checked > look_every) {
      checked = now;
      for (const auto& c : clients)
        c->check(now, asking);
    }
  }
  clients.clear();
  ::close(epoll);
}

load_results run_load(const load_plan& plan, milliseconds length) {
  http_load load{plan};
  std::this_thread::sleep_for(length);
  return load.stop();
}

}  // namespace quorate::bench
