// Any node, each as likely as another.
#pragma once

#include "balancers/contract.hpp"

namespace quorate::balancers {

class random_choice : public policy {
public:
  [[nodiscard]] std::size_t pick(std::string_view key, const choice& from, prng& random) override;
};

}  // namespace quorate::balancers
