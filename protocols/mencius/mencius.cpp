#include "protocols/mencius/mencius.hpp"

#include "protocols/mencius/type_ids.hpp"

#include "actors/role_host.hpp"
#include "protocols/mencius/acceptor.hpp"
#include "protocols/mencius/learner.hpp"
#include "protocols/mencius/proposer.hpp"

#include <caf/init_global_meta_objects.hpp>

namespace quorate::mencius {

status check_options(const std::map<std::string, std::string>& from) {
  options ignored;
  return read_options(from, ignored);
}

std::vector<std::unique_ptr<any_role>> make_roles(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> roles;
  roles.push_back(std::make_unique<role_host<proposer>>(context));
  roles.push_back(std::make_unique<role_host<acceptor>>(context));
  roles.push_back(std::make_unique<role_host<learner>>(context));
  return roles;
}

void register_messages() {
  caf::init_global_meta_objects<caf::id_block::quorate_mencius>();
}

}  // namespace quorate::mencius
