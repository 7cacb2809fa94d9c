// Whom to ask for what several members have.
#pragma once

#include "actors/ids.hpp"
#include "actors/prng.hpp"

#include <algorithm>
#include <vector>

namespace quorate {

/// One of these other than `self`, at random; where any of them is heard, one that is: the dead may have it
/// too. `self` where there is nobody else.
template <class Heard>
[[nodiscard]] node_id one_that_is_heard(std::vector<node_id> list, node_id self, Heard heard, prng& random) {
  std::erase(list, self);
  if (list.empty())
    return self;
  if (std::ranges::any_of(list, heard))
    std::erase_if(list, [&](node_id n) { return !heard(n); });
  std::sort(list.begin(), list.end());
  return list[random.below(list.size())];
}

}  // namespace quorate
