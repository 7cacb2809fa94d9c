// What the simulated clients do with a poll, and what they may see.
#pragma once

#include "poll.hpp"

#include "tests/harness/workload.hpp"

/// Votes in a few polls, for a few names, and asks for results. Every answer is checked: there must be an
/// order of all operations on a name that explains them (linearizability).
class polls : public quorate::testing::workload {
public:
  /// `make`: the poll to test.
  explicit polls(quorate::machine_factory make) : make_(std::move(make)) {}

  [[nodiscard]] quorate::machine_factory make_machine() const override { return make_; }
  [[nodiscard]] std::string machine() const override { return "poll"; }
  [[nodiscard]] quorate::testing::client_call write(quorate::prng& random, std::uint64_t number,
                                                    std::uint64_t bytes_max) override;
  [[nodiscard]] quorate::testing::client_call read(quorate::prng& random) override;
  [[nodiscard]] quorate::testing::client_call read_all() override;
  [[nodiscard]] std::unique_ptr<quorate::testing::check>
  make_check(quorate::testing::verdict& result) override;

private:
  quorate::machine_factory make_;
};
