#include "protocols/quorum.hpp"

#include <algorithm>

namespace quorate {

bool vote_count::has(node_id member) const {
  return std::find(voters_.begin(), voters_.end(), member) != voters_.end();
}

bool vote_count::add(node_id member) {
  if (has(member))
    return false;
  voters_.push_back(member);
  return true;
}

}  // namespace quorate
