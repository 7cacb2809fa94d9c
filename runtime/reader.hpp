// Runs queries on frozen views, beside the replica.
#pragma once

#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/state_machine.hpp"
#include "actors/traffic.hpp"

#include <memory>

namespace quorate {

/// Answers queries from the views that the replica hands it, so that a slow disk read holds up no write.
class reader {
public:
  using out = outbox<query_results>;
  using handles = messages<read_job>;
  static constexpr port place = port::reader;

  explicit reader(std::shared_ptr<const state_machine> machine) : machine_(std::move(machine)) {}

  void on(node_id from, const read_job& msg, out& o);

private:
  std::shared_ptr<const state_machine> machine_;
};

}  // namespace quorate
