// Does our state machine do the same on every replica? The kit finds out where it does not.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "polls.hpp"

#include "protocols/registry.hpp"
#include "tests/harness/local_run.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <iostream>
#include <map>

using namespace quorate;
using namespace quorate::testing;

namespace {

/// A planted bug: the leader is remembered in a member, which a restart loses. Where two names have as many
/// votes, replicas that have restarted disagree with those that have not.
class poll_with_memory : public poll {
public:
  void apply(log_index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    for (const auto& vote : commands) {
      const auto votes = count(vote, state);
      auto& leader = leaders_[std::string{vote.key}];
      if (leader.empty() || votes > votes_in(state.get(std::string{vote.key} + "/" + leader)))
        leader = vote.body;
      state.put(std::string{vote.key}, leader);
      answers.push_back({errc::ok, std::to_string(votes)});
    }
  }

private:
  std::map<std::string, std::string> leaders_;
};

/// Another one: every replica looks at a clock of its own.
class poll_with_clock : public poll {
public:
  void apply(log_index index, std::span<const command_view> commands, machine_state& state,
             std::vector<machine_answer>& answers) override {
    poll::apply(index, commands, state, answers);
    state.put("changed", std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  }
};

template <class Machine>
options with() {
  options how;
  how.work = [] { return std::make_unique<polls>([] { return std::make_unique<Machine>(); }); };
  return how;
}

exploration some_seeds(std::uint64_t seeds) {
  exploration what;
  what.seeds = seeds;
  what.members = 3;
  return what;
}

/// Prints what was found; the check's name stands in front.
std::string first_failure(const findings& found) {
  if (found.failures.empty())
    return {};
  const auto& first = found.failures.front();
  std::cout << "seed " << first.seed << ": " << first.failure << "\n";
  return first.failure;
}

}  // namespace

TEST_CASE("a poll is the same on all replicas, whatever happens, in the simulator") {
  const auto found = explore(some_seeds(300), *find_protocol("paxos"), with<poll>());
  CHECK(first_failure(found).empty());
  CHECK(found.seeds == 300);
}

TEST_CASE("a poll is the same on all replicas, whatever happens, as actors") {
  const auto found = explore_local(some_seeds(300), *find_protocol("paxos"), with<poll>());
  CHECK(first_failure(found).empty());
  CHECK(found.seeds == 300);
}

TEST_CASE("a member that outlives the call is found, in the simulator and as actors") {
  const auto paxos = *find_protocol("paxos");
  CHECK(first_failure(explore(some_seeds(300), paxos, with<poll_with_memory>())).starts_with("state: "));
  // The replicas themselves compare what they have, too.
  CHECK(first_failure(explore_local(some_seeds(300), paxos, with<poll_with_memory>()))
            .find("differ") != std::string::npos);
}

TEST_CASE("a clock is found") {
  CHECK(first_failure(explore(some_seeds(10), *find_protocol("paxos"), with<poll_with_clock>()))
            .starts_with("state: "));
}
