// Runs queries on frozen views, beside the replica.
#pragma once

#include "actors/outbox.hpp"
#include "actors/role.hpp"
#include "actors/state_machine.hpp"
#include "actors/traffic.hpp"
#include "runtime/answer_budget.hpp"

#include <memory>

namespace quorate {

/// Answers queries from the views that the replica hands it, so that a slow disk read holds up no write. Invariant: no
/// answer is made that there is no memory for, and each counts until its last owner lets it go.
class reader {
public:
  using out = outbox<query_results>;
  using handles = messages<read_job>;
  static constexpr port place = port::reader;

  explicit reader(std::shared_ptr<const state_machine> machine,
                  std::shared_ptr<answer_budget> memory = std::make_shared<answer_budget>())
      : machine_(std::move(machine)), memory_(std::move(memory)) {}

  void on(node_id from, const read_job& msg, out& o);

private:
  [[nodiscard]] query_result answer(const query& q, const store_view& view) const;

  std::shared_ptr<const state_machine> machine_;
  std::shared_ptr<answer_budget> memory_;
};

}  // namespace quorate
