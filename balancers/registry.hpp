// The policies that a cluster spec can name for where a node sends what clients give it.
#pragma once

#include <span>
#include <string_view>

namespace quorate {

struct balancer_policy {
  std::string_view name;
  std::string_view summary;
};

/// `local` is a policy without a choice: every node takes what its own clients send, so its edge hands
/// submissions to its own replica and no actor stands between them.
[[nodiscard]] std::span<const balancer_policy> all_balancers();

}  // namespace quorate
