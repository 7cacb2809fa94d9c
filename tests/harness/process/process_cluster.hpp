// A cluster of real processes on loopback.
#pragma once

#include "tests/harness/process/child_process.hpp"
#include "tests/harness/process/http_client.hpp"

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

/// The program that the tests start: QUORATE_NODE_RUNTIME from the environment, else the one of this build.
[[nodiscard]] std::string node_runtime_path();

/// `count` TCP ports of 127.0.0.1 that nobody uses now, all different.
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

/// Where and how one node runs.
struct node_place {
  std::string host = "127.0.0.1";
  child_surroundings surroundings;
  std::filesystem::path data;  ///< its data directory; empty: one below the cluster's own
};

struct cluster_plan {
  std::size_t nodes = 3;
  std::string more_spec;  ///< lines inside `cluster { … }`
  std::string log_level = "info";
  std::string protocol = "mencius";
  std::vector<node_place> places = {};  ///< of the first nodes; the others get the default
};

/// Nodes 1, 2, …, each a node_runtime with its data directory and its log file, from one spec file. All of it
/// goes away with the object; with QUORATE_KEEP in the environment the files stay. Not for several threads:
/// the nodes die with the thread that started them.
class process_cluster {
public:
  using milliseconds = std::chrono::milliseconds;

  explicit process_cluster(cluster_plan plan = {});
  ~process_cluster();
  process_cluster(const process_cluster&) = delete;
  process_cluster& operator=(const process_cluster&) = delete;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::vector<std::uint16_t> http_ports() const;
  [[nodiscard]] std::uint16_t http_port(std::size_t n) const { return nodes_[n - 1].http; }
  [[nodiscard]] std::uint16_t peer_port(std::size_t n) const { return nodes_[n - 1].peer; }
  [[nodiscard]] endpoint at(std::size_t n) const { return {nodes_[n - 1].place.host, http_port(n)}; }
  [[nodiscard]] std::vector<endpoint> endpoints() const;
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path spec() const { return directory_ / "cluster.conf"; }
  [[nodiscard]] std::filesystem::path data(std::size_t n) const;
  [[nodiscard]] std::vector<std::string> command_line(std::size_t n) const;
  [[nodiscard]] http_client client(std::size_t n, milliseconds patience = milliseconds{10'000}) const {
    return http_client{at(n), patience};
  }

  /// Starts all nodes that do not run and waits until all are healthy.
  [[nodiscard]] bool start(milliseconds within = milliseconds{30'000});
  /// Starts one node, and does not wait. Counts as trouble where it was running or cannot be started.
  void launch(std::size_t n);
  [[nodiscard]] bool running(std::size_t n) { return nodes_[n - 1].process.running(); }
  /// Its process's number; -1 where it does not run.
  [[nodiscard]] pid_t id(std::size_t n) const { return nodes_[n - 1].process.id(); }
  /// SIGKILL; trouble where the node had ended by itself.
  void kill9(std::size_t n);
  void signal(std::size_t n, int number) { nodes_[n - 1].process.signal(number); }
  void freeze(std::size_t n) { signal(n, SIGSTOP); }
  void thaw(std::size_t n) { signal(n, SIGCONT); }
  /// Asks it to stop; whether it did, with exit code 0, in time. Trouble where not.
  bool stop(std::size_t n, int signal = SIGTERM, milliseconds within = milliseconds{5'000});
  /// Waits for it to end by itself, which is what the test wants; nothing where it goes on running.
  [[nodiscard]] std::optional<process_end> await_end(std::size_t n, milliseconds within);
  /// Empties its data directory. \pre the node does not run.
  void wipe(std::size_t n);

  /// Memory that the node has, and the most that it ever had; 0 where it does not run.
  struct memory {
    std::size_t resident = 0;
    std::size_t peak = 0;
  };
  [[nodiscard]] memory memory_of(std::size_t n) const;

  [[nodiscard]] bool healthy(std::size_t n) const;
  [[nodiscard]] bool wait_healthy(std::size_t n, milliseconds within = milliseconds{15'000});
  [[nodiscard]] bool wait_all_healthy(milliseconds within = milliseconds{30'000});
  /// Waits until the log of node `n` has a line with this in it.
  [[nodiscard]] bool wait_log(std::size_t n, std::string_view part,
                              milliseconds within = milliseconds{10'000}) const;
  /// The lines with `part` in what the node has logged since its last start.
  [[nodiscard]] std::vector<std::string> log_lines(std::size_t n, std::string_view part) const;

  /// What went wrong with the processes themselves so far, one line each; also looks whether one has just
  /// died.
  [[nodiscard]] std::string trouble();
  /// For a failed test: trouble, and the ends of the nodes' logs.
  [[nodiscard]] std::string report();

private:
  struct node {
    std::string name;
    std::uint16_t peer = 0;
    std::uint16_t http = 0;
    node_place place;
    child_process process;
    bool should_run = false;
  };

  void write_spec(const std::string& more) const;
  [[nodiscard]] std::filesystem::path log_file(std::size_t n) const;
  void note_end(node& n, const process_end& end);

  cluster_plan plan_;
  std::filesystem::path directory_;
  std::vector<node> nodes_;
  std::string trouble_;
};

}  // namespace quorate::testing
