// Paths that are hardly ever taken: members that can keep next to nothing in memory, logs and snapshots that
// are cut everywhere. A path that no run takes is a path that nothing has proved.
#include "protocols/registry.hpp"
#include "tests/harness/explore.hpp"
#include "tests/harness/script.hpp"
#include "tests/simulation/rare_shapes.hpp"
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace quorate;
using namespace quorate::testing;

namespace {

using paths = std::map<std::string, std::uint64_t>;

/// The names that the sources under `folder` give to rare paths: the literals within `rare(…)`.
std::set<std::string> named_in(const std::string& folder) {
  std::set<std::string> out;
  const auto root = std::filesystem::path{quorate::testing::source_dir()} / folder;
  for (const auto& file : std::filesystem::recursive_directory_iterator{root}) {
    if (file.path().extension() != ".cpp")
      continue;
    std::ifstream in{file.path(), std::ios::binary};
    std::ostringstream bytes;
    bytes << in.rdbuf();
    const auto text = bytes.str();
    for (auto at = text.find(" rare(o, "); at != std::string::npos; at = text.find(" rare(o, ", at + 1)) {
      const auto end = text.find(";", at);
      for (auto quote = text.find('"', at); quote < end; quote = text.find('"', quote + 1)) {
        const auto close = text.find('"', quote + 1);
        out.insert(text.substr(quote + 1, close - quote - 1));
        quote = close;
      }
    }
  }
  return out;
}

/// Tiny limits for all, and what brings each kind of path about for some.
void shape(scenario& s, std::string_view protocol) {
  constexpr void (*shapes[])(scenario&) = {
      [](scenario&) {}, snapshots_and_restarts, snapshots_in_parts, overtaken_learners, lost_receipts,
  };
  shapes[s.seed % std::size(shapes)](s);
  tiny_memory(s, protocol);
}

void check_all_taken(const std::string& folder, const paths& taken) {
  const auto names = named_in(folder);
  CHECK_MESSAGE(!names.empty(), folder);
  for (const auto& name : names) {
    const auto found = taken.find(name);
    std::printf("%10llu  %s\n",
                static_cast<unsigned long long>(found == taken.end() ? 0 : found->second), name.c_str());
    CHECK_MESSAGE(found != taken.end(), "never taken: " << name);
  }
}

}  // namespace

TEST_CASE("with hardly any memory every promise is kept, and every rare path is taken") {
  const auto wanted = wishes_of_environment();
  if (wanted.one_run())
    return;
  paths all;
  for (const auto& p : wanted.protocols()) {
    exploration what;
    what.first = wanted.first;
    what.seeds = wanted.counted ? wanted.seeds : sanitized ? 60 : 600;
    what.members = wanted.members.value_or(0);
    what.stop_at_failure = !wanted.all;
    what.shape = [&p](scenario& s) { shape(s, p.name); };
    const auto found = explore(what, p, [&p](std::size_t members) -> options {
      options how;
      how.checks = checks_of(p.name, members);
      return how;
    });
    std::printf("%s with hardly any memory: %s\n", p.name.c_str(), text(found).c_str());
    for (const auto& f : found.failures) {
      auto plan = scenario::from_seed(f.seed, what.members > 0 ? what.members : scenario::members_of(f.seed), p.name);
      what.shape(plan);
      std::printf("seed %llu: %s\nreplay with --script:\n%s\n", static_cast<unsigned long long>(f.seed),
                  f.failure.c_str(), to_text({p.name, plan}).c_str());
      FAIL_CHECK(p.name << ", seed " << f.seed << ": " << f.failure);
    }
    for (const auto& [name, times] : found.rare)
      all[name] += times;
  }
  if (wanted.counted || wanted.members || !wanted.protocol.empty() || sanitized)
    return;  // what was asked for may be too little
  for (const auto* folder : {"protocols", "sync", "runtime"})
    check_all_taken(folder, all);
}
