// A cluster of three processes under measurement: ours or etcd's.
#pragma once

#include "tests/bench/parts/http_load.hpp"
#include "tests/harness/process/process_cluster.hpp"

#include <memory>

namespace quorate::bench {

/// What a process has used so far.
struct usage {
  double cpu_seconds = 0;
  double rss_mib = 0;
};
[[nodiscard]] usage usage_of(pid_t process);

/// Nodes are numbered from 1. All processes and files go away with the object. Not for several threads.
class subject {
public:
  using milliseconds = std::chrono::milliseconds;

  virtual ~subject() = default;
  [[nodiscard]] virtual service kind() const = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual testing::endpoint at(std::size_t n) const = 0;
  [[nodiscard]] virtual pid_t id(std::size_t n) const = 0;
  /// Starts all nodes that do not run, and waits until all of them serve.
  [[nodiscard]] virtual bool start() = 0;
  [[nodiscard]] virtual bool serves(std::size_t n) = 0;
  virtual void kill9(std::size_t n) = 0;
  virtual void signal(std::size_t n, int number) = 0;
  /// The node whose loss hurts most, where there is such a one; 0 where all are alike.
  [[nodiscard]] virtual std::size_t leader() = 0;
  /// How far this node has executed; nothing where it does not say.
  [[nodiscard]] virtual std::optional<std::uint64_t> applied(std::size_t n) = 0;
  /// For a measurement that failed.
  [[nodiscard]] virtual std::string report() = 0;

  [[nodiscard]] bool all_serve(milliseconds within);
  [[nodiscard]] load_plan load(std::size_t clients, std::size_t bytes) const;
  /// Of all processes together.
  [[nodiscard]] usage used() const;
};

struct subject_plan {
  std::string system;  ///< one of our protocols, or "etcd"
  std::size_t nodes = 3;
  std::vector<testing::node_place> places = {};  ///< where the nodes run; default: loopback
};

/// The path of etcd's program: QUORATE_ETCD, else "etcd" from PATH; empty where there is none.
[[nodiscard]] std::string etcd_path();

/// Not started yet.
[[nodiscard]] std::unique_ptr<subject> make_subject(const subject_plan& plan);

/// All of our protocols, and etcd where there is one.
[[nodiscard]] std::vector<std::string> all_systems();

/// Whether all of them can be measured here; the first that cannot be is printed.
[[nodiscard]] bool known_systems(const std::vector<std::string>& systems);

}  // namespace quorate::bench
