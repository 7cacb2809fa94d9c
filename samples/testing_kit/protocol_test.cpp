// Does our protocol keep its promises? Here it is `paxos` with an acceptor of our own; once healthy, once
// with a bug.
#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/proposer.hpp"
#include "protocols/paxos/type_ids.hpp"
#include "protocols/registry.hpp"
#include "tests/harness/conformance.hpp"

#include <doctest/doctest.h>

#include <iostream>

using namespace quorate;
using namespace quorate::testing;

namespace {

/// Counts what it hears; otherwise like its base.
class own_acceptor : public paxos::acceptor {
public:
  using acceptor::acceptor;
  template <class Message>
  void on(node_id from, const Message& message, out& o) {
    ++heard_;
    acceptor::on(from, message, o);
  }
  void on(journal_rows rows, out& o) { acceptor::on(std::move(rows), o); }

private:
  std::uint64_t heard_ = 0;
};

/// A planted bug: after a restart it has forgotten what it promised and voted for.
class forgetful_acceptor : public own_acceptor {
public:
  using own_acceptor::own_acceptor;
  void recover(const journal_view&) {}
};

template <class Acceptor>
std::vector<std::unique_ptr<any_role>> make_roles(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> out;
  out.push_back(std::make_unique<role_host<paxos::proposer>>(context));
  out.push_back(std::make_unique<role_host<Acceptor>>(context));
  out.push_back(std::make_unique<role_host<paxos::learner>>(context));
  return out;
}

template <class Acceptor>
protocol with_acceptor(std::string name) {
  auto p = *find_protocol("paxos");
  p.name = std::move(name);
  p.make_roles = &make_roles<Acceptor>;
  return p;
}

conformance_options some_seeds(std::uint64_t simulated, std::uint64_t local) {
  conformance_options how;
  how.members = {3, 5};
  how.simulated_seeds = simulated;
  how.local_seeds = local;
  how.tell = [](const std::string& line) { std::cout << line << "\n"; };
  return how;
}

}  // namespace

TEST_CASE("our protocol conforms") {
  for (const auto& failure : conformance(with_acceptor<own_acceptor>("own"), some_seeds(100, 200)))
    FAIL_CHECK(failure);
}

TEST_CASE("a protocol that forgets is found, in the simulator and as actors") {
  const auto forgetful = with_acceptor<forgetful_acceptor>("forgetful");
  for (const auto& how : {some_seeds(3'000, 0), some_seeds(0, 3'000)}) {
    const auto failures = conformance(forgetful, how);
    REQUIRE(!failures.empty());
    std::cout << failures.front() << "\n";
  }
}
