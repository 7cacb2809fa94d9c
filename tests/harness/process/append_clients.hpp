// Clients that append and read all the time, each in its own thread.
#pragma once

#include "tests/harness/process/append_history.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace quorate::testing {

struct client_habits {
  std::size_t per_node = 2;
  std::chrono::milliseconds timeout{
      2'000};                          ///< ?timeout_ms= of each request; answers may take a second longer
  std::uint64_t read_every = 20;       ///< every such request is a linearizable read; 0: none
  std::size_t value_bytes = 0;         ///< values are padded to this length
  std::chrono::milliseconds think{0};  ///< between two requests
};

/// Clients of the nodes at `ports`, the first port being node 1's. They go on until `stop`, whatever happens
/// to the nodes; a client stays with its node.
class append_clients {
public:
  /// `name` makes the values of these clients unlike those of others.
  append_clients(std::string name, const std::vector<std::uint16_t>& ports, client_habits habits);
  /// Of nodes that may be elsewhere than on 127.0.0.1.
  append_clients(const std::vector<endpoint>& nodes, std::string name, client_habits habits);
  ~append_clients() { static_cast<void>(stop()); }
  append_clients(const append_clients&) = delete;
  append_clients& operator=(const append_clients&) = delete;

  /// How many appends have been acknowledged so far.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_.load(); }
  /// Ends when each client has its last answer; what all of them saw.
  [[nodiscard]] append_history stop();

private:
  void run(std::size_t number, std::size_t node, const endpoint& at);

  std::string name_;
  client_habits habits_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::vector<append_history> seen_;  // each thread has its own
  std::vector<std::thread> threads_;
};

}  // namespace quorate::testing
