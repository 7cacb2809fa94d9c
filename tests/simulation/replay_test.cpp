// One run again: from a seed or a script, drawn, or made small. And every script that was ever found.
#include "tests/harness/explore.hpp"
#include "tests/harness/script.hpp"
#include "tests/harness/shrink.hpp"

#include "protocols/registry.hpp"
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace quorate;
using namespace quorate::testing;

namespace {

const std::filesystem::path scripts = std::filesystem::path{quorate::testing::source_dir()} / "tests" / "scripts";

options with_checks_of(const protocol& p, std::size_t members) {
  options how;
  how.checks = checks_of(p.name, members);
  return how;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::absolute(file).parent_path());
  std::ofstream out{file, std::ios::binary};
  out << text;
  out.close();
  REQUIRE_MESSAGE(out.good(), file.string(), " cannot be written");
}

void make_small(const protocol& p, const scenario& s) {
  const auto small = shrink(s, p, [&](std::size_t members) { return with_checks_of(p, members); });
  auto check = check_of(small.failure);
  std::replace(check.begin(), check.end(), ' ', '-');
  const auto file = scripts / (p.name + "-" + check + "-" + std::to_string(s.seed) + ".txt");
  write_file(file, "# " + small.failure + "\n" + to_text({p.name, small.smallest}));
  std::printf("made small in %llu runs: %s\nreplay: ./tests/run.sh --script %s\n",
              static_cast<unsigned long long>(small.runs), small.failure.c_str(), file.c_str());
}

void replay(const protocol& p, const scenario& s, const wishes& wanted) {
  auto how = with_checks_of(p, s.members);
  diagram picture;
  if (wanted.trace || !wanted.svg.empty())
    how.draw = &picture;
  if (wanted.steps)
    how.trace = stdout;
  if (wanted.steps || wanted.trace)
    std::printf("%s", text(s).c_str());
  const auto result = run(s, p, how);
  if (wanted.trace)
    std::printf("%s", draw_text(picture, s, result.failure).c_str());
  if (!wanted.svg.empty())
    write_file(wanted.svg, draw_svg(picture, s, result.failure));
  std::printf("%s, seed %llu, %zu members: %s\n", p.name.c_str(), static_cast<unsigned long long>(s.seed),
              s.members, result.ok ? "ok" : result.failure.c_str());
  if (!result.ok && wanted.shrink)
    make_small(p, s);
  CHECK(result.ok);
}

std::string what_is_wrong(const std::string& text) {
  const auto result = parse_script(text);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "";
}

std::size_t faulty_nodes(const scenario& s) {
  std::size_t sum = 0;
  for (const auto& f : s.faults)
    sum += f.nodes.size();
  return sum;
}

}  // namespace

TEST_CASE("one run, as the environment asks for it") {
  const auto wanted = wishes_of_environment();
  if (!wanted.script.empty()) {
    const auto read = read_script(wanted.script);
    REQUIRE_MESSAGE(std::holds_alternative<script>(read), std::get<std::string>(read));
    const auto& found = std::get<script>(read);
    const auto* p = find_protocol(found.protocol);
    REQUIRE_MESSAGE(p != nullptr, "there is no protocol ", found.protocol);
    replay(*p, found.plan, wanted);
  } else if (wanted.seed) {
    for (const auto& p : wanted.protocols())
      replay(p, wanted.scenario_of(p.name), wanted);
  }
}

TEST_CASE("every script that has found a bug passes") {
  if (wishes_of_environment().one_run())
    return;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{scripts}) {
    if (entry.path().extension() != ".txt")
      continue;
    const auto read = read_script(entry.path());
    REQUIRE_MESSAGE(std::holds_alternative<script>(read), std::get<std::string>(read));
    const auto& found = std::get<script>(read);
    const auto* p = find_protocol(found.protocol);
    REQUIRE_MESSAGE(p != nullptr, entry.path(), ": there is no protocol ", found.protocol);
    const auto result = run(found.plan, *p, with_checks_of(*p, found.plan.members));
    CHECK_MESSAGE(result.ok, entry.path(), ": ", result.failure);
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("a script is the scenario that it was written from") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const std::string name = seed % 2 == 0 ? "paxos" : "unknown";
    const auto text = to_text({name, scenario::from_seed(seed, 1 + seed % 7, name)});
    const auto read = parse_script(text);
    REQUIRE_MESSAGE(std::holds_alternative<script>(read), std::get<std::string>(read));
    CHECK(to_text(std::get<script>(read)) == text);
  }
  for (const auto& p : all_protocols())
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const auto s = scenario::from_seed(seed, 3, p.name);
      const auto again = std::get<script>(parse_script(to_text({p.name, s}))).plan;
      CHECK(run(s, p).hash == run(again, p).hash);
    }
}

TEST_CASE("a broken script is refused with its line") {
  const std::string good = "quorate-scenario 1\nprotocol paxos\n";
  CHECK(what_is_wrong(good).empty());
  CHECK(what_is_wrong(good + "members 5 # comment\n\nfault split n1,n5 at 2ms for 30us\n").empty());
  CHECK(what_is_wrong("") == "a script begins with \"quorate-scenario 1\"");
  CHECK(what_is_wrong("members 3") == "line 1: a script begins with \"quorate-scenario 1\"");
  CHECK(what_is_wrong("quorate-scenario 1\n") == "it names no protocol");
  CHECK(what_is_wrong(good + "membres 3") == "line 3: there is no \"membres\"");
  CHECK(what_is_wrong(good + "members x") == "line 3: \"x\" is no value for \"members\"");
  CHECK(what_is_wrong(good + "members 3 4") == "line 3: there is more than belongs to \"members\": 4");
  CHECK(what_is_wrong(good + "members 0") == "members are 1 to 64");
  CHECK(what_is_wrong(good + "settle 3") == "line 3: \"3\" is no value for \"settle\"");
  CHECK(what_is_wrong(good + "settle -3ms") == "line 3: \"-3ms\" is no value for \"settle\"");
  CHECK(what_is_wrong(good + "fault fire n1 at 1ms for 1ms") == "line 3: there is no fault \"fire\"");
  CHECK(what_is_wrong(good + "fault crash 1 at 1ms for 1ms") == "line 3: nodes are written n1,n2,...");
  CHECK(what_is_wrong(good + "fault crash n1 at 1ms") ==
        "line 3: a fault needs \"for\" and a time (ms, us, ns)");
  CHECK(what_is_wrong(good + "fault crash n4 at 1ms for 1ms") == "a fault names n4, and there are 3 members");
  CHECK(what_is_wrong(good + "network.delay-min 9ms") == "a minimum is above its maximum");
}

TEST_CASE("a script that is cut off anywhere is read or refused, never more") {
  const auto text = to_text({"paxos", scenario::from_seed(7, 5, "paxos")});
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const auto read = parse_script(text.substr(0, n));
    if (const auto* wrong = std::get_if<std::string>(&read))
      CHECK(!wrong->empty());
  }
}

TEST_CASE("a failure shrinks to a small scenario that fails in the same way, and always to the same") {
  const auto* p = find_protocol("paxos");
  auto forgetful = [&](std::size_t members) {
    auto how = with_checks_of(*p, members);
    how.mutants.forgetful = port::acceptor;
    return how;
  };
  for (std::uint64_t seed = 1, found = 0; found < 2; ++seed) {
    REQUIRE(seed < 1000);
    const auto s = scenario::from_seed(seed, 5, p->name);
    const auto before = run(s, *p, forgetful(5));
    if (before.ok)
      continue;
    ++found;
    const auto small = shrink(s, *p, forgetful, 600);
    const auto after = run(small.smallest, *p, forgetful(small.smallest.members));
    CHECK(check_of(after.failure) == check_of(before.failure));
    CHECK(after.failure == small.failure);
    CHECK(small.smallest.faults.size() <= s.faults.size());
    CHECK(faulty_nodes(small.smallest) <= 5);
    CHECK(small.smallest.clients.operations_max <= s.clients.operations_max);
    CHECK(to_text({p->name, shrink(s, *p, forgetful, 600).smallest}) == to_text({p->name, small.smallest}));
    MESSAGE("seed ", seed, ", ", small.runs, " runs: ", s.faults.size(), " faults became ",
            small.smallest.faults.size());
  }
}

TEST_CASE("a run can be drawn") {
  const auto* p = find_protocol("paxos");
  diagram picture;
  auto how = with_checks_of(*p, 3);
  how.draw = &picture;
  const auto s = scenario::from_seed(11, 3, p->name);
  const auto result = run(s, *p, how);
  CHECK(result.hash == run(s, *p, with_checks_of(*p, 3)).hash);
  const auto text = draw_text(picture, s, "delivery: as a test");
  CHECK(text.find("Accept > n") != std::string::npos);
  CHECK(text.find("!! delivery: as a test") != std::string::npos);
  const auto svg = draw_svg(picture, s, "delivery: a < b");
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("a &lt; b") != std::string::npos);
  CHECK(svg.size() < 1'000'000);
}
