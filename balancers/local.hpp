// Every command to the node that its client has asked.
#pragma once

#include "balancers/contract.hpp"

namespace quorate::balancers {

/// The default: clients that spread themselves need no second hop.
class local : public policy {
public:
  [[nodiscard]] bool stays_home() const override { return true; }
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;
};

}  // namespace quorate::balancers
