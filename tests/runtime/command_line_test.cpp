#include "runtime/command_line.hpp"
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <vector>

using namespace quorate;

namespace {

using arguments = std::vector<const char*>;

auto parse(const arguments& list) {
  return parse_command_line(list);
}

std::string told(const arguments& list) {
  const auto result = parse(list);
  const auto* problem = std::get_if<failure>(&result);
  if (problem == nullptr)
    return "valid";
  CHECK(problem->code == errc::bad_config);
  const std::string hint = " (see --help)";
  REQUIRE(problem->message.ends_with(hint));
  CHECK(problem->message.find('\n') == std::string::npos);
  return problem->message.substr(0, problem->message.size() - hint.size());
}

}  // namespace

TEST_CASE("options are taken with an equals sign or as the next word") {
  for (const auto& list :
       {arguments{"--config-file=c", "--node=n1", "--data-dir=d=1", "--log-level=debug"},
        arguments{"--log-level", "debug", "--data-dir", "d=1", "--node", "n1", "--config-file", "c"}}) {
    const auto result = parse(list);
    REQUIRE(std::holds_alternative<options>(result));
    const auto& o = std::get<options>(result);
    CHECK(o.config_file == "c");
    CHECK(o.node == "n1");
    CHECK(o.data_dir == "d=1");
    CHECK(o.level == log_level::debug);
  }
}

TEST_CASE("the log level is info unless it is given") {
  const auto result = parse({"--config-file=c", "--node=n1", "--data-dir=d"});
  REQUIRE(std::holds_alternative<options>(result));
  CHECK(std::get<options>(result).level == log_level::info);
  for (const auto* name : {"trace", "debug", "info", "warn", "error", "off"})
    CHECK(told({"--config-file=c", "--node=n1", "--data-dir=d", "--log-level", name}) == "valid");
}

TEST_CASE("each mistake on the command line has its one line") {
  CHECK(told({}) == "--config-file is missing");
  CHECK(told({"--config-file=c"}) == "--node is missing");
  CHECK(told({"--config-file=c", "--node=n1"}) == "--data-dir is missing");
  CHECK(told({"start"}) == "stray word \"start\"");
  CHECK(told({"--node=n1", "n2"}) == "stray word \"n2\"");
  CHECK(told({""}) == "stray word \"\"");
  CHECK(told({"-"}) == "stray word \"-\"");
  CHECK(told({"--"}) == "stray word \"--\"");
  CHECK(told({"a\nb"}) == "stray word \"a?b\"");
  CHECK(told({"-n", "n1"}) == "unknown option \"-n\"");
  CHECK(told({"--nod=n1"}) == "unknown option \"--nod\"; did you mean --node?");
  CHECK(told({"--config=c"}) == "unknown option \"--config\"");
  CHECK(told({"--conf-file=c"}) == "unknown option \"--conf-file\"; did you mean --config-file?");
  CHECK(told({"--caf.scheduler.max-threads=1"}) == "unknown option \"--caf.scheduler.max-threads\"");
  CHECK(told({"--node="}) == "--node needs a value");
  CHECK(told({"--node"}) == "--node needs a value");
  CHECK(told({"--node", ""}) == "--node needs a value");
  CHECK(told({"--node", "--data-dir=d"}) == "--node needs a value");
  CHECK(told({"--node=n1", "--node=n1"}) == "--node is given twice");
  CHECK(told({"--node=n1", "--node", "n2"}) == "--node is given twice");
  CHECK(told({"--help=1"}) == "--help takes no value");
  CHECK(told({"--config-file=c", "--node=n1", "--data-dir=d", "--log-level=loud"}) ==
        "--log-level: \"loud\" is none of trace, debug, info, warn, error, off");
}

TEST_CASE("help and version go before every mistake") {
  for (const auto& list : {arguments{"--help"}, arguments{"stray", "--node=", "--help"}}) {
    const auto result = parse(list);
    REQUIRE(std::holds_alternative<help_text>(result));
    const auto& text = std::get<help_text>(result).text;
    for (const auto* part : {"--config-file",
                             "--node",
                             "--data-dir",
                             "--log-level",
                             "--help",
                             "--version",
                             "cluster.name",
                             "cluster.protocol",
                             "cluster.balancer",
                             "cluster.sync",
                             "cluster.machine",
                             "cluster.nodes",
                             "cluster.timeouts.request",
                             "cluster.timeouts.heartbeat",
                             "cluster.timeouts.suspect",
                             "cluster.limits.link-bytes",
                             "cluster.limits.requests-in-flight",
                             "cluster.limits.connections",
                             "cluster.limits.log-entries",
                             "cluster.limits.log-bytes",
                             "Exit codes",
                             "SIGTERM",
                             "SIGINT"})
      CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  const auto result = parse({"--version"});
  REQUIRE(std::holds_alternative<help_text>(result));
  CHECK(std::get<help_text>(result).text == "node_runtime " + std::string{version} + "\n");
}

TEST_CASE("the version is the project's") {
  std::ifstream in{quorate::testing::source_dir() + "/CMakeLists.txt"};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  CHECK(text.find("project(quorate VERSION " + std::string{version} + " ") != std::string::npos);
}

TEST_CASE("a node that is not in the spec is told with those that are") {
  cluster_spec spec;
  spec.nodes.emplace_back().name = "n1";
  spec.nodes.emplace_back().name = "n2";
  CHECK_FALSE(check_node(spec, "n2").has_value());
  const auto problem = check_node(spec, "n3");
  REQUIRE(problem.has_value());
  CHECK(problem->code == errc::bad_config);
  CHECK(problem->message == "--node: \"n3\" is not in the cluster; its nodes: n1, n2");
}
