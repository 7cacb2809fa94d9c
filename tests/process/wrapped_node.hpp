// A node that another program starts: a shell with limits, closed descriptors or names of its own.
#pragma once

#include "tests/harness/process/process_cluster.hpp"

#include <sstream>
#include <thread>

namespace quorate::testing {

inline cluster_plan lone_node(const std::string& log_level = "info") {
  cluster_plan plan;
  plan.nodes = 1;
  plan.log_level = log_level;
  return plan;
}

/// Node `n` of a cluster whose own process for it does not run. `words` stand in front of the node's command line, and
/// become it in the end (exec).
class wrapped_node {
public:
  using milliseconds = std::chrono::milliseconds;

  wrapped_node(process_cluster& cluster, std::size_t n, std::vector<std::string> words)
      : cluster_(cluster), n_(n), words_(std::move(words)),
        log_(cluster.directory() / ("wrapped" + std::to_string(n) + ".log")) {
    const auto own = cluster.command_line(n);
    words_.insert(words_.end(), own.begin(), own.end());
  }

  [[nodiscard]] bool start() {
    std::error_code ignored;
    std::filesystem::remove(log_, ignored);
    return process_.start(words_, log_, log_);
  }
  [[nodiscard]] bool running() { return process_.running(); }
  [[nodiscard]] pid_t id() const { return process_.id(); }
  void signal(int number) { process_.signal(number); }
  /// False where it ends before, or takes longer.
  [[nodiscard]] bool wait_healthy(milliseconds within = milliseconds{15'000}) {
    return wait([&] { return cluster_.healthy(n_); }, within);
  }
  [[nodiscard]] bool wait_log(const std::string& part, milliseconds within = milliseconds{10'000}) {
    return wait([&] { return file_text(log_).find(part) != std::string::npos; }, within);
  }
  [[nodiscard]] std::optional<process_end> await_end(milliseconds within) { return process_.wait(within); }
  /// Whether it ends with exit code 0, in time.
  [[nodiscard]] bool stop() {
    process_.signal(SIGTERM);
    return process_.wait(milliseconds{8'000}) == process_end{0, 0};
  }
  void kill9() { process_.end(); }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::istringstream in{file_text(log_)};
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);)
      out.push_back(line);
    return out;
  }

private:
  template <class Done>
  bool wait(Done done, milliseconds within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (!done()) {
      if (!running() || std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::sleep_for(milliseconds{20});
    }
    return true;
  }

  process_cluster& cluster_;
  std::size_t n_;
  std::vector<std::string> words_;
  std::filesystem::path log_;
  child_process process_;
};

}  // namespace quorate::testing
