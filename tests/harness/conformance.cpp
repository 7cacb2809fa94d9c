#include "tests/harness/conformance.hpp"

#include "tests/harness/local_run.hpp"

namespace quorate::testing {

std::vector<std::string> conformance(const protocol& ordering, const conformance_options& how) {
  std::vector<std::string> failures;
  if (!ordering.check_options({{"no such option", "1"}}))
    failures.push_back("options: an unknown option is accepted");
  const auto take = [&](const std::string& driver, std::size_t members, const findings& found) {
    if (found.seeds == 0 && found.failures.empty())
      return;
    const auto place = driver + ", " + std::to_string(members) + " members";
    if (how.tell)
      how.tell(place + ": " + text(found));
    for (const auto& f : found.failures)
      failures.push_back(place + ", seed " + std::to_string(f.seed) + ": " + f.failure);
  };
  for (const auto members : how.members) {
    exploration what;
    what.first = how.first;
    what.members = members;
    what.seeds = how.simulated_seeds;
    options checked;
    checked.checks = checks_of(ordering.name, members);
    take("simulator", members, explore(what, ordering, checked));
    what.seeds = members == 3 || members == 5 ? how.local_seeds : how.local_seeds / 10;
    take("local cluster", members, explore_local(what, ordering));
  }
  return failures;
}

}  // namespace quorate::testing
