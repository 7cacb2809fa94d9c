#include "tests/protocols/bag.hpp"

#include "protocols/paxos/type_ids.hpp"

#include "actors/role_host.hpp"
#include "protocols/paxos/acceptor.hpp"
#include "protocols/paxos/learner.hpp"
#include "protocols/paxos/paxos.hpp"
#include "protocols/paxos/proposer.hpp"
#include "tests/harness/invariant_trap.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using paxos::Accept;
using paxos::acceptor;
using paxos::learner;
using paxos::Promise;
using paxos::proposer;

constexpr std::uint64_t seeds = 2'000;
constexpr std::uint64_t mutant_seeds = 500;
constexpr int steps = 1'500;

template <class Proposer, class Acceptor, class Learner>
std::vector<std::unique_ptr<any_role>> roles_of(const protocol_context& context) {
  std::vector<std::unique_ptr<any_role>> roles;
  roles.push_back(std::make_unique<role_host<Proposer>>(context));
  roles.push_back(std::make_unique<role_host<Acceptor>>(context));
  roles.push_back(std::make_unique<role_host<Learner>>(context));
  return roles;
}

/// Keep nothing in memory that can be had again: the roads to the disk and to other nodes get traffic.
protocol_context frugal(protocol_context context) {
  context.limits.set("acceptor.recent_bytes_max", 0);
  context.limits.set("learner.bodies_bytes_max", 100);
  return context;
}
struct frugal_acceptor : acceptor {
  explicit frugal_acceptor(const protocol_context& context) : acceptor(frugal(context)) {}
};
struct frugal_learner : learner {
  explicit frugal_learner(const protocol_context& context) : learner(frugal(context)) {}
};

// --- mutants
// -----------------------------------------------------------------------------------------------------

/// Keeps its votes, forgets its promises in a restart.
struct forgetful_acceptor : acceptor {
  using acceptor::acceptor;
  struct without_promises : journal_view {
    explicit without_promises(const journal_view& from) : whole(from) {}
    void scan(std::string_view from, std::string_view to,
              const std::function<bool(journal_row&&)>& row) const override {
      whole.scan(from, to, [&](journal_row&& r) { return r.key.starts_with('p') || row(std::move(r)); });
    }
    const journal_view& whole;
  };
  void recover(const journal_view& saved) { acceptor::recover(without_promises{saved}); }
};

/// Tells of votes that are not durable.
struct hasty_acceptor : acceptor {
  using acceptor::acceptor;
  using acceptor::on;
  void on(node_id from, const with_payload<Accept>& msg, out& o) {
    acceptor::on(from, msg, o);
    for (auto& e : o.list())
      if (auto* send = std::get_if<send_effect>(&e))
        send->now = true;
  }
};

/// Takes one member less for a majority.
majority too_small(const protocol_context& context) {
  return majority{context.members.size() - 2};
}
struct easy_proposer : proposer {
  explicit easy_proposer(const protocol_context& context) : proposer(context, too_small(context)) {}
};
struct easy_learner : learner {
  explicit easy_learner(const protocol_context& context) : learner(context, too_small(context)) {}
};

/// Any vote found will do, not the highest.
struct careless_proposer : proposer {
  using proposer::on;
  using proposer::proposer;
  void on(node_id from, const with_payload<Promise>& msg, out& o) {
    auto changed = msg;
    if (msg.head.has_voted())
      to_wire(ballot{1, node_id{1}}, changed.head.mutable_voted());
    proposer::on(from, changed, o);
  }
};

/// Uses its rounds again after a restart.
struct repeating_proposer : proposer {
  using proposer::proposer;
  void recover(const journal_view&) {}
};

/// How many of the first `tries` seeds catch the mutant.
std::uint64_t caught(roles_maker make, std::uint64_t tries) {
  const invariant_trap trap;
  std::uint64_t count = 0;
  for (std::uint64_t seed = 1; seed <= tries; ++seed) {
    try {
      bag{seed, 3 + 2 * (seed % 2), make}.run(steps);
    } catch (const std::runtime_error&) {
      ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("paxos agrees and ends, whatever happens to messages and nodes") {
  const invariant_trap trap;
  std::size_t delivered = 0;
  std::uint64_t crashes = 0;
  std::uint64_t fast_forwards = 0;
  time_point longest{};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    static constexpr std::size_t sizes[] = {3, 5, 3, 1};
    bag b{seed, sizes[seed % 4],
          seed % 3 ? paxos::make_roles : roles_of<proposer, frugal_acceptor, frugal_learner>};
    try {
      b.run(steps);
    } catch (const std::runtime_error& e) {
      FAIL("seed " << seed << ": " << e.what());
    }
    delivered += b.delivered_count();
    crashes += b.crashes();
    fast_forwards += b.fast_forwards();
    longest = std::max(longest, b.healed_after());
  }
  MESSAGE(seeds << " seeds: " << delivered << " batches, " << crashes << " crashes, " << fast_forwards
                << " fast-forwards; all settled within " << longest.count() / 1'000'000 << " ms");
  CHECK(delivered > 5 * seeds);
  CHECK(crashes > seeds);
}

TEST_CASE("the bag catches an acceptor that forgets its promises in a restart") {
  const auto count = caught(roles_of<proposer, forgetful_acceptor, learner>, mutant_seeds);
  MESSAGE(count << " seeds");
  CHECK(count > 0);
}

TEST_CASE("the bag catches an acceptor that votes before it saves") {
  const auto count = caught(roles_of<proposer, hasty_acceptor, learner>, mutant_seeds);
  MESSAGE(count << " seeds");
  CHECK(count > 0);
}

TEST_CASE("the bag catches a quorum that is one too small") {
  const auto count = caught(roles_of<easy_proposer, acceptor, easy_learner>, mutant_seeds);
  MESSAGE(count << " seeds");
  CHECK(count > 0);
}

TEST_CASE("the bag catches a proposer that does not take the vote with the highest ballot") {
  const auto count = caught(roles_of<careless_proposer, acceptor, learner>, seeds);
  MESSAGE(count << " seeds");
  CHECK(count > 0);
}

TEST_CASE("the bag catches a proposer that uses its ballots again after a restart") {
  const auto count = caught(roles_of<repeating_proposer, acceptor, learner>, mutant_seeds);
  MESSAGE(count << " seeds");
  CHECK(count > 0);
}

}  // namespace quorate::testing
