#include "actors/members.hpp"

namespace quorate {

std::vector<node_id> ids_of(const std::vector<member>& members) {
  std::vector<node_id> out;
  for (const auto& m : members)
    out.push_back(m.id);
  return out;
}

std::string name_of(node_id node, const std::vector<member>& members) {
  for (const auto& m : members)
    if (m.id == node)
      return m.name;
  return text(node);
}

}  // namespace quorate
