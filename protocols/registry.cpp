#include "protocols/registry.hpp"

#include "protocols/mencius/mencius.hpp"
#include "protocols/paxos/paxos.hpp"

#include <algorithm>
#include <array>

namespace quorate {

std::span<const protocol> all_protocols() {
  static const std::array protocols{
      protocol{"mencius", true, &mencius::check_options, &mencius::make_roles},
      protocol{"paxos", true, &paxos::check_options, &paxos::make_roles},
  };
  return protocols;
}

const protocol* find_protocol(std::string_view name) {
  const auto list = all_protocols();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const protocol& p) { return p.name == name; });
  return found == list.end() ? nullptr : &*found;
}

void register_protocol_messages() {
  mencius::register_messages();
  paxos::register_messages();
}

}  // namespace quorate
