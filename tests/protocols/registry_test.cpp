#include "protocols/registry.hpp"

#include <doctest/doctest.h>

#include <set>

namespace quorate {

TEST_CASE("every registered protocol is found by its name, accepts its defaults and names a wrong option") {
  CHECK(!all_protocols().empty());
  for (const auto& p : all_protocols()) {
    CHECK(find_protocol(p.name) == &p);
    CHECK(!p.check_options({}));
    const auto wrong = p.check_options({{"colour", "red"}});
    REQUIRE(wrong);
    CHECK(wrong->code == errc::bad_config);
    CHECK(wrong->message.find("colour") != std::string::npos);
  }
  CHECK(find_protocol("paxos") != nullptr);
  CHECK(find_protocol("") == nullptr);
  CHECK(find_protocol("Paxos") == nullptr);
}

TEST_CASE("every registered protocol makes a proposer, an acceptor and a learner, for 1 to 9 members") {
  for (const auto& p : all_protocols())
    for (std::uint32_t n = 1; n <= 9; ++n) {
      protocol_context context{group_id{0}, epoch_id{0}, {}, node_id{n}, boot_id{1}, cursor{0}, {}};
      for (std::uint32_t i = 1; i <= n; ++i)
        context.members.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
      std::set<port> places;
      for (const auto& role : p.make_roles(context))
        places.insert(role->place());
      CHECK(places == std::set{port::proposer, port::acceptor, port::learner});
    }
}

}  // namespace quorate
