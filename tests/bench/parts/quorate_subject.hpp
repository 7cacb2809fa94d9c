// Our own cluster under measurement.
#pragma once

#include "tests/bench/parts/subject.hpp"

namespace quorate::bench {

class quorate_subject : public subject {
public:
  explicit quorate_subject(const subject_plan& plan);

  [[nodiscard]] service kind() const override { return service::quorate; }
  [[nodiscard]] std::size_t size() const override { return cluster_.size(); }
  [[nodiscard]] testing::endpoint at(std::size_t n) const override { return cluster_.at(n); }
  [[nodiscard]] pid_t id(std::size_t n) const override { return cluster_.id(n); }
  [[nodiscard]] bool start() override { return cluster_.start(); }
  [[nodiscard]] bool serves(std::size_t n) override { return cluster_.healthy(n); }
  void kill9(std::size_t n) override { cluster_.kill9(n); }
  void signal(std::size_t n, int number) override { cluster_.signal(n, number); }
  [[nodiscard]] std::size_t leader() override;
  [[nodiscard]] std::optional<std::uint64_t> applied(std::size_t n) override;
  [[nodiscard]] std::string report() override { return cluster_.report(); }

  [[nodiscard]] testing::process_cluster& cluster() { return cluster_; }

private:
  testing::process_cluster cluster_;
};

}  // namespace quorate::bench
