// Clients that write over HTTP as fast as they are answered.
#pragma once

#include "tests/bench/parts/figures.hpp"
#include "tests/harness/process/http_client.hpp"

#include <atomic>
#include <map>
#include <thread>

namespace quorate::bench {

/// How a server wants to be asked.
enum class service : std::uint8_t {
  quorate,  ///< POST /append_log
  etcd,     ///< POST /v3/kv/put, key and value in base64
};

struct load_plan {
  std::vector<testing::endpoint> nodes;  ///< client i talks to node i modulo their number, and to no other
  service what = service::quorate;
  std::size_t clients = 64;  ///< each has one connection with one request in flight
  std::size_t bytes = 100;   ///< of a value
  bool remember = true;      ///< every acknowledgement; else they are only counted
};

/// One write that was answered with success.
struct acknowledgement {
  steady::time_point at;
  nanoseconds took{};
  std::uint32_t node = 0;  ///< the first one is 0
};

struct load_results {
  std::vector<acknowledgement> acknowledged;  ///< in the order of `at`
  std::map<unsigned, std::uint64_t> errors;   ///< by status; 0: no answer
  steady::time_point start;
  steady::time_point end;  ///< of the asking

  /// Of what was acknowledged in [from, to) by one of these nodes; all nodes where none is named.
  [[nodiscard]] speed between(steady::time_point from, steady::time_point to,
                              const std::vector<std::uint32_t>& nodes = {}) const;
  /// The longest time in [from, to) in which none of these nodes acknowledged anything.
  [[nodiscard]] nanoseconds longest_gap(const std::vector<std::uint32_t>& nodes, steady::time_point from,
                                        steady::time_point to) const;
};

/// All clients, on one thread with one epoll: the same for every service, so that the comparison is fair. A
/// client whose connection breaks connects again after 100 ms.
class http_load {
public:
  /// Begins to ask.
  explicit http_load(load_plan plan);
  ~http_load();
  http_load(const http_load&) = delete;
  http_load& operator=(const http_load&) = delete;

  /// No more questions; waits up to `drain` for those in flight, so that none of them counts as failed.
  [[nodiscard]] load_results stop(std::chrono::milliseconds drain = std::chrono::milliseconds{6'000});

  /// Writes acknowledged so far.
  [[nodiscard]] std::uint64_t count() const { return count_; }

private:
  void run();

  load_plan plan_;
  load_results results_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> asking_{true};
  std::atomic<std::int64_t> drain_ms_{0};
  std::thread thread_;
};

/// Asks for so long, and then waits for those in flight.
[[nodiscard]] load_results run_load(const load_plan& plan, std::chrono::milliseconds length);

}  // namespace quorate::bench
