#include "runtime/founded_spec.hpp"

#include "runtime/founding.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

known_names known() {
  known_names names{{"mencius", "paxos"}, {"local"}, {"push-pull"}, {"append_log", "key_value"}, {}};
  names.check_options = [](const std::string&, const std::map<std::string, std::string>& options) -> status {
    for (const auto& [name, value] : options)
      if (name != "window")
        return failure{errc::bad_config, name + ": unknown option"};
    return std::nullopt;
  };
  return names;
}

cluster_spec spec_of(const std::vector<std::string>& names) {
  cluster_spec spec;
  spec.name = "demo";
  for (const auto& name : names)
    spec.nodes.push_back({name, "10.0.0." + std::to_string(name.back() - '0'), 7000, {}, 0, {}});
  number_by_name(spec.nodes);
  return spec;
}

wire::Founding founded_with(const std::vector<std::string>& names) {
  wire::Founding list;
  list.set_cluster("demo");
  list.set_protocol("mencius");
  list.set_machine("append_log");
  for (const auto& name : names) {
    auto* m = list.add_members();
    m->set_name(name);
    m->set_id(static_cast<std::uint32_t>(list.members_size()));
    m->set_disk(static_cast<std::uint64_t>(10 + list.members_size()));
  }
  return list;
}

void set_option(wire::Founding& list, const std::string& name, const std::string& value) {
  auto* option = list.add_options();
  option->set_name(name);
  option->set_value(value);
}

std::string nodes_text(const cluster_spec& spec) {
  std::string out;
  for (const auto& n : spec.nodes)
    out += (out.empty() ? "" : ", ") + std::to_string(n.id.value) + " " + n.name + " " +
           (n.host.empty() ? "-" : n.host) + (n.founded_without ? " stranger" : "");
  return out;
}

founded_spec settled(const cluster_spec& spec, const wire::Founding& list) {
  const auto result = settle_spec(spec, "n1", list, known());
  REQUIRE(std::holds_alternative<founded_spec>(result));
  return std::get<founded_spec>(result);
}

std::string refusal(const wire::Founding& list, const std::string& node = "n1") {
  const auto result = settle_spec(spec_of({"n1", "n2", "n3"}), node, list, known());
  const auto* failed = std::get_if<failure>(&result);
  return failed != nullptr ? failed->message : "taken";
}

constexpr const char* in_front = "the spec differs from what was founded, which holds: ";

}  // namespace

TEST_CASE("in whatever order the spec lists the nodes, they keep their founded numbers") {
  // Even such numbers as a spec's order would not give.
  const auto list = founded_with({"n2", "n3", "n1"});
  for (const auto& order :
       std::vector<std::vector<std::string>>{{"n1", "n2", "n3"}, {"n3", "n2", "n1"}, {"n2", "n3", "n1"}}) {
    const auto result = settled(spec_of(order), list);
    CHECK(nodes_text(result.spec) == "1 n2 10.0.0.2, 2 n3 10.0.0.3, 3 n1 10.0.0.1");
    CHECK(result.warning == "");
  }
}

TEST_CASE("a spec with nodes more or less is one line, and members and numbers stay") {
  const auto list = founded_with({"n1", "n2", "n3"});
  const auto more = settled(spec_of({"a0", "n1", "n2", "n3", "n4"}), list);
  CHECK(nodes_text(more.spec) ==
        "1 n1 10.0.0.1, 2 n2 10.0.0.2, 3 n3 10.0.0.3, 4 a0 10.0.0.0 stranger, 5 n4 10.0.0.4 stranger");
  CHECK(more.warning == std::string{in_front} + "cluster.nodes names a0, n4, not founded and no member");
  const auto less = settled(spec_of({"n1", "n3"}), list);
  CHECK(nodes_text(less.spec) == "1 n1 10.0.0.1, 2 n2 -, 3 n3 10.0.0.3");
  CHECK(less.warning == std::string{in_front} +
                            "cluster.nodes does not name n2, a member still, which this node "
                            "cannot connect to by itself");
  const auto both = settled(spec_of({"n1", "n2", "n4"}), list);
  CHECK(nodes_text(both.spec) == "1 n1 10.0.0.1, 2 n2 10.0.0.2, 3 n3 -, 4 n4 10.0.0.4 stranger");
  CHECK(has(both.warning, "names n4"));
  CHECK(has(both.warning, "does not name n3"));
  CHECK(!has(both.warning, "\n"));
}

TEST_CASE("founded protocol, options and machine are used, and what the spec says otherwise is named") {
  auto list = founded_with({"n1", "n2", "n3"});
  set_option(list, "window", "4");
  auto spec = spec_of({"n1", "n2", "n3"});
  spec.named = {"protocol", "machine"};
  spec.protocol = "paxos";
  spec.protocol_options = {{"takeover_after_ms", "7"}};
  spec.machine = "key_value";
  spec.balancer = "random";
  spec.timeouts.request = std::chrono::seconds{9};
  const auto result = settled(spec, list);
  CHECK(result.spec.protocol == "mencius");
  CHECK(result.spec.protocol_options == std::map<std::string, std::string>{{"window", "4"}});
  CHECK(result.spec.machine == "append_log");
  CHECK(result.warning == std::string{in_front} +
                              "cluster.protocol is \"mencius\" (the spec says \"paxos\"); "
                              "cluster.machine is \"append_log\" (the spec says \"key_value\")");
  // These are a node's own matter.
  CHECK(result.spec.balancer == "random");
  CHECK(result.spec.timeouts.request == std::chrono::seconds{9});

  spec = spec_of({"n1", "n2", "n3"});
  spec.protocol_options = {{"window", "8"}};
  CHECK(settled(spec, list).warning ==
        std::string{in_front} + "cluster.mencius.window is 4 (the spec says 8)");
  list.clear_options();
  CHECK(settled(spec, list).warning ==
        std::string{in_front} + "cluster.mencius.window is as it is by default (the spec says 8)");
  CHECK(settled(spec, list).spec.protocol_options.empty());
}

TEST_CASE("what the spec does not name differs from nothing") {
  auto list = founded_with({"n1", "n2", "n3"});
  list.set_protocol("paxos");
  list.set_machine("key_value");
  set_option(list, "window", "4");
  const auto result = settled(spec_of({"n1", "n2", "n3"}), list);
  CHECK(result.warning == "");
  CHECK(result.spec.protocol == "paxos");
  CHECK(result.spec.protocol_options.at("window") == "4");
  CHECK(result.spec.machine == "key_value");
}

TEST_CASE("what was founded and is not known to the program is refused by its name") {
  auto list = founded_with({"n1", "n2", "n3"});
  CHECK(refusal(list) == "taken");
  list.set_protocol("raft");
  CHECK(refusal(list) ==
        "the cluster was founded with cluster.protocol = \"raft\", which this program does not know; it "
        "knows: mencius, paxos");
  list = founded_with({"n1", "n2", "n3"});
  list.set_machine("ledger");
  CHECK(has(refusal(list), "cluster.machine = \"ledger\", which this program does not know"));
  list = founded_with({"n1", "n2", "n3"});
  set_option(list, "warp", "9");
  CHECK(refusal(list) ==
        "the cluster was founded with options of cluster.mencius that this program does not take: "
        "warp: unknown option");
  CHECK(has(refusal(founded_with({"n2", "n3"})), "a founding without \"n1\""));
}

TEST_CASE("a blank disk leaves the spec as it is, and a damaged one is refused") {
  memory_journal journal;
  const journal_space space{group_id{0}, epoch_id{0}, port::founding};
  auto spec = spec_of({"n2", "n1"});
  auto result = settle_spec(spec, "n1", journal, known());
  REQUIRE(std::holds_alternative<founded_spec>(result));
  CHECK(nodes_text(std::get<founded_spec>(result).spec) == "2 n2 10.0.0.2, 1 n1 10.0.0.1");

  for (const auto phase : {wire::Hello::CONFIRMED, wire::Hello::FOUNDED}) {
    wire::Hello state;
    state.set_phase(phase);
    *state.mutable_founding() = founded_with({"n2", "n1"});
    REQUIRE(!journal.commit({{space.prefix() + "f", state.SerializeAsString(), std::nullopt, false}}, true));
    result = settle_spec(spec, "n1", journal, known());
    REQUIRE(std::holds_alternative<founded_spec>(result));
    CHECK(nodes_text(std::get<founded_spec>(result).spec) == "1 n2 10.0.0.2, 2 n1 10.0.0.1");
  }
  REQUIRE(!journal.commit({{space.prefix() + "f", "\xff\xff", std::nullopt, false}}, true));
  result = settle_spec(spec, "n1", journal, known());
  REQUIRE(std::holds_alternative<failure>(result));
  CHECK(std::get<failure>(result).code == errc::corrupt);
}

}  // namespace quorate::testing
