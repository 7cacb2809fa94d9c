// A cluster of etcd under measurement.
#pragma once

#include "tests/bench/parts/scratch.hpp"
#include "tests/bench/parts/subject.hpp"

namespace quorate::bench {

/// Debian's etcd with its own defaults; data directories beside those of our nodes, on the same disk.
class etcd_subject : public subject {
public:
  explicit etcd_subject(const subject_plan& plan);

  [[nodiscard]] service kind() const override { return service::etcd; }
  [[nodiscard]] std::size_t size() const override { return nodes_.size(); }
  [[nodiscard]] testing::endpoint at(std::size_t n) const override {
    return {nodes_[n - 1].place.host, nodes_[n - 1].client};
  }
  [[nodiscard]] pid_t id(std::size_t n) const override { return nodes_[n - 1].process.id(); }
  [[nodiscard]] bool start() override;
  [[nodiscard]] bool serves(std::size_t n) override;
  void kill9(std::size_t n) override { nodes_[n - 1].process.end(); }
  void signal(std::size_t n, int number) override { nodes_[n - 1].process.signal(number); }
  [[nodiscard]] std::size_t leader() override;
  [[nodiscard]] std::optional<std::uint64_t> applied(std::size_t n) override;
  [[nodiscard]] std::string report() override;

private:
  struct node {
    std::string name;
    testing::node_place place;
    std::uint16_t client = 0;
    std::uint16_t peer = 0;
    testing::child_process process;
  };

  [[nodiscard]] std::vector<std::string> command_line(const node& n) const;
  /// A field of what the node says of itself; empty where it says nothing.
  [[nodiscard]] std::string status(std::size_t n, const std::string& field) const;

  scratch directory_;
  std::vector<node> nodes_;
};

}  // namespace quorate::bench
