#include "runtime/ip_address.hpp"
#include "runtime/timings.hpp"
#include "tests/runtime/spec_fixture.hpp"
#include "tests/source_dir.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace quorate;
using namespace quorate::spec_fixture;
using namespace std::chrono_literals;

namespace {

// clang-format off
const std::vector<mistake> mistakes = {
    {R"(name = "demo")", R"(nmae = "demo")",
     "2:3: cluster.nmae: unknown key; did you mean name?"},
    {R"(protocol = "paxos")", R"(protcol = "paxos")",
     "3:3: cluster.protcol: unknown key; did you mean protocol?"},
    {"cluster {", "name = \"x\"\ncluster {",
     "1:1: name: unknown key; did you mean cluster.name?"},
    {"cluster {", "clutser {",
     "1:1: clutser: unknown key; did you mean cluster?"},
    {"protocol", "timeouts { requests = 1s }\n protocol",
     "3:14: cluster.timeouts.requests: unknown key; did you mean request?"},
    {"protocol", "limits { link_bytes = 5 }\n protocol",
     "3:12: cluster.limits.link_bytes: unknown key; did you mean link-bytes?"},
    {"protocol", "limits { memory = 5 }\n protocol",
     "3:12: cluster.limits.memory: unknown key; known here: link-bytes, requests-in-flight, connections, log-entries, log-bytes, disk-reserve"},
    {"protocol", "raft { x = 5 }\n protocol",
     "3:3: cluster.raft: unknown key; known here: name, protocol, balancer, sync, machine, nodes, timeouts, limits"},
    {"port = 7101", "prot = 7101",
     "5:40: cluster.nodes[0].prot: unknown key; did you mean port?"},
    {"port = 7101", "port = 7101, rack = 1",
     "5:53: cluster.nodes[0].rack: unknown key; known here: name, host, port, listen, http"},
    {"port = 7101", "port = { a = 1 }",
     "5:40: cluster.nodes[0].port: must be a whole number, not a dictionary"},
    {"protocol", "caf { scheduler { max-threads = 1 } }\n protocol",
     "3:3: cluster.caf: unknown key; known here: name, protocol, balancer, sync, machine, nodes, timeouts, limits"},
    {R"(protocol = "paxos")", "protocol = \"paxos\"\n  name = \"other\"",
     "4:3: cluster.name: stands twice, first in line 2"},
    {"port = 7101", "port = 7101, port = 7103",
     "5:53: cluster.nodes[0].port: stands twice, first in line 5"},
    {"}\n", "}\ncluster { name = \"b\" }\n",
     "9:1: cluster: stands twice, first in line 1"},
    {"protocol", "paxos { a = 1, a = 2 }\n protocol",
     "3:18: cluster.paxos.a: stands twice, first in line 3"},
    {R"(name = "demo")", R"(name = "demo", "name" = "demo")",
     "2:18: cluster.name: stands twice, first in line 2"},
    {"", "",
     "cluster: missing"},
    {"", "# nothing\n",
     "cluster: missing"},
    {"", "cluster { }",
     "1:1: cluster.name: missing"},
    {"  name = \"demo\"\n", "",
     "1:1: cluster.name: missing"},
    {"", R"(cluster { name = "demo", protocol = "paxos" })",
     "1:1: cluster.nodes: missing"},
    {R"(name = "n1", )", "",
     "5:7: cluster.nodes[0].name: missing"},
    {R"(host = "127.0.0.1", port = 7101)", "port = 7101",
     "5:7: cluster.nodes[0].host: missing"},
    {"port = 7101, ", "",
     "5:7: cluster.nodes[0].port: missing"},
    {R"(, http = "127.0.0.1:8101")", "",
     "5:7: cluster.nodes[0].http: missing"},
    {"", R"(cluster { name = "demo", protocol = "paxos", nodes = [ ] })",
     "1:46: cluster.nodes: there is no node"},
    {"", R"(cluster { name = "demo", protocol = "paxos", nodes = [ { }, { }, { }, { }, { }, { }, { }, { }, { }, { }, ] })",
     "1:46: cluster.nodes: there are 10 nodes, and 9 are the most"},
    {"", "cluster = 5",
     "1:1: cluster: must be a dictionary in braces, not a whole number"},
    {R"(name = "demo")", "name = 5",
     "2:3: cluster.name: must be a text in quotes, not a whole number"},
    {R"("paxos")", R"(["paxos"])",
     "3:3: cluster.protocol: must be a text in quotes, not a list"},
    {R"("paxos")", "true",
     "3:3: cluster.protocol: must be a text in quotes, not true or false"},
    {"port = 7101", R"(port = "7101")",
     "5:40: cluster.nodes[0].port: must be a whole number, not a text"},
    {"port = 7101", "port = 7.5",
     "5:40: cluster.nodes[0].port: must be a whole number, not a fraction"},
    {"port = 7101", "port = 7101s",
     "5:40: cluster.nodes[0].port: must be a whole number, not a duration"},
    {"", R"(cluster { name = "demo", protocol = "paxos", nodes = "n1" })",
     "1:46: cluster.nodes: must be a list in brackets, not a text"},
    {"", R"(cluster { name = "demo", protocol = "paxos", nodes = ["n1"] })",
     "1:46: cluster.nodes[0]: must be a dictionary in braces, not a text"},
    {"protocol", "timeouts = 5s\n protocol",
     "3:3: cluster.timeouts: must be a dictionary in braces, not a duration"},
    {"protocol", "timeouts { request = 5 }\n protocol",
     "3:14: cluster.timeouts.request: must be a duration such as 5s or 100ms, not a whole number"},
    {"protocol", "paxos = 5\n protocol",
     "3:3: cluster.paxos: must be a dictionary in braces, not a whole number"},
    {"protocol", "paxos { window = [1, 2] }\n protocol",
     "3:11: cluster.paxos.window: must be a single value, not a list"},
    {"protocol", "paxos { window { a = 1 } }\n protocol",
     "3:11: cluster.paxos.window: must be a single value, not a dictionary"},
    {R"("demo")", R"("")",
     R"(2:3: cluster.name: "" is not a name: 1 to 32 of a-z, 0-9, - and _)"},
    {R"("demo")", R"("Demo")",
     R"(2:3: cluster.name: "Demo" is not a name: 1 to 32 of a-z, 0-9, - and _)"},
    {R"("demo")", R"("a\nb")",
     R"(2:3: cluster.name: "a?b" is not a name: 1 to 32 of a-z, 0-9, - and _)"},
    {R"("demo")", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")",
     R"(2:3: cluster.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not a name: 1 to 32 of a-z, 0-9, - and _)"},
    {R"("n2")", R"("n 2")",
     R"(6:7: cluster.nodes[1].name: "n 2" is not a name: 1 to 32 of a-z, 0-9, - and _)"},
    {R"("n2")", R"("n1")",
     R"(6:7: cluster.nodes[1].name: "n1" is the name of cluster.nodes[0] too)"},
    {R"("paxos")", R"("paxo")",
     R"(3:3: cluster.protocol: "paxo" is not known; known: mencius, paxos)"},
    {"protocol", "balancer = \"random\"\n protocol",
     R"(3:3: cluster.balancer: "random" is not known; known: local)"},
    {"protocol", "sync = \"pull\"\n protocol",
     R"(3:3: cluster.sync: "pull" is not known; known: push-pull)"},
    {"protocol", "machine = \"log\"\n protocol",
     R"(3:3: cluster.machine: "log" is not known; known: append_log, key_value)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "db..example.org", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "db..example.org" is neither an IP address nor the name of a host)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "http://n1", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "http://n1" is neither an IP address nor the name of a host)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "10.1", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "10.1" is neither an IP address nor the name of a host)"},
    {"port = 7101", R"(port = 7101, listen = "0.0.0.0")",
     R"(5:53: cluster.nodes[0].listen: "0.0.0.0" is not "host:port" (or "[IPv6 address]:port"))"},
    {"port = 7101", R"(port = 7101, listen = "0.0.0.0:8101")",
     "5:78: cluster.nodes[0].http: 127.0.0.1:8101 is what the node listens on for other nodes too"},
    {R"(host = "127.0.0.1", port = 7102)", R"(host = "N1", port = 7102, listen = "[::]:0")",
     R"(6:46: cluster.nodes[1].listen: "0" is not a port: must be from 1 to 65535)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "127.0.0.256", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "127.0.0.256" is neither an IP address nor the name of a host)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "0.0.0.0", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "0.0.0.0" is not an address that other nodes can reach; what is bound is said by listen)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "[::1]", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "[::1]" is neither an IP address nor the name of a host)"},
    {R"(host = "127.0.0.1", port = 7101)", R"(host = "", port = 7101)",
     R"(5:20: cluster.nodes[0].host: "" is neither an IP address nor the name of a host)"},
    {"7101", "0",
     "5:40: cluster.nodes[0].port: 0 is out of range: must be from 1 to 65535"},
    {"7101", "65536",
     "5:40: cluster.nodes[0].port: 65536 is out of range: must be from 1 to 65535"},
    {"7101", "-1",
     "5:40: cluster.nodes[0].port: -1 is out of range: must be from 1 to 65535"},
    {"7102", "7101",
     "6:40: cluster.nodes[1].port: 127.0.0.1:7101 belongs to cluster.nodes[0].port too"},
    {"7102", "8101",
     "6:40: cluster.nodes[1].port: 127.0.0.1:8101 belongs to cluster.nodes[0].http too"},
    {"8102", "7102",
     "6:53: cluster.nodes[1].http: 127.0.0.1:7102 belongs to cluster.nodes[1].port too"},
    {"8102", "8101",
     "6:53: cluster.nodes[1].http: 127.0.0.1:8101 belongs to cluster.nodes[0].http too"},
    {R"(host = "127.0.0.1", port = 7102)", R"(host = "localhost", port = 7101)",
     "6:40: cluster.nodes[1].port: 127.0.0.1:7101 belongs to cluster.nodes[0].port too"},
    {R"("127.0.0.1:8101")", R"("127.0.0.1")",
     R"(5:53: cluster.nodes[0].http: "127.0.0.1" is not "host:port" (or "[IPv6 address]:port"))"},
    {R"("127.0.0.1:8101")", R"("127.0.0.1:")",
     R"(5:53: cluster.nodes[0].http: "" is not a port: must be from 1 to 65535)"},
    {R"("127.0.0.1:8101")", R"("127.0.0.1:http")",
     R"(5:53: cluster.nodes[0].http: "http" is not a port: must be from 1 to 65535)"},
    {R"("127.0.0.1:8101")", R"("127.0.0.1:99999")",
     R"(5:53: cluster.nodes[0].http: "99999" is not a port: must be from 1 to 65535)"},
    {R"("127.0.0.1:8101")", R"(":8101")",
     R"(5:53: cluster.nodes[0].http: ":8101" is not "host:port" (or "[IPv6 address]:port"))"},
    {R"("127.0.0.1:8101")", R"("::1:8101")",
     R"(5:53: cluster.nodes[0].http: "::1:8101" is not "host:port" (or "[IPv6 address]:port"))"},
    {R"("127.0.0.1:8101")", R"("[127.0.0.1]:8101")",
     R"(5:53: cluster.nodes[0].http: "[127.0.0.1]:8101" is not "host:port" (or "[IPv6 address]:port"))"},
    {R"("127.0.0.1:8101")", R"("n1.example.1:8101")",
     R"(5:53: cluster.nodes[0].http: "n1.example.1" is neither an IP address nor the name of a host)"},
    {R"("127.0.0.1:8101")", R"("0.0.0.0:7101")",
     "5:53: cluster.nodes[0].http: 127.0.0.1:7101 belongs to cluster.nodes[0].port too"},
    {"protocol", "timeouts { request = 0s }\n protocol",
     "3:14: cluster.timeouts.request: 0s is out of range: must be from 10ms to 10min"},
    {"protocol", "timeouts { request = 11min }\n protocol",
     "3:14: cluster.timeouts.request: 11min is out of range: must be from 10ms to 10min"},
    {"protocol", "timeouts { heartbeat = 10us }\n protocol",
     "3:14: cluster.timeouts.heartbeat: 10us is out of range: must be from 1ms to 10s"},
    {"protocol", "timeouts { suspect = 10min }\n protocol",
     "3:14: cluster.timeouts.suspect: 10min is out of range: must be from 10ms to 5min"},
    {"protocol", "timeouts { heartbeat = 1s, suspect = 1500ms }\n protocol",
     "3:30: cluster.timeouts.suspect: 1500ms is less than two heartbeats (cluster.timeouts.heartbeat is 1s)"},
    {"protocol", "limits { link-bytes = 1000 }\n protocol",
     "3:12: cluster.limits.link-bytes: 1000 is out of range: must be from 2097152 to 1073741824"},
    {"protocol", "limits { requests-in-flight = 0 }\n protocol",
     "3:12: cluster.limits.requests-in-flight: 0 is out of range: must be from 1 to 65536"},
    {"protocol", "limits { connections = 65537 }\n protocol",
     "3:12: cluster.limits.connections: 65537 is out of range: must be from 1 to 65536"},
    {"protocol", "limits { log-entries = 0 }\n protocol",
     "3:12: cluster.limits.log-entries: 0 is out of range: must be from 1000 to 10000000"},
    {"protocol", "limits { log-bytes = 1000 }\n protocol",
     "3:12: cluster.limits.log-bytes: 1000 is out of range: must be from 1048576 to 1099511627776"},
    {"protocol", "mencius { window = 8 }\n protocol",
     R"(3:3: cluster.mencius: options of a protocol that is not in use; cluster.protocol is "paxos")"},
    {"protocol", "paxos { bad = 1 }\n protocol",
     "3:3: cluster.paxos: bad: no such option"},
};
// clang-format on

/// A directory of its own that goes away with the object.
class scratch {
public:
  scratch() {
    auto name = (std::filesystem::temp_directory_path() / "quorate-spec-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  /// The path of a file with these bytes.
  [[nodiscard]] std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream{path(name), std::ios::binary} << bytes;
    return path(name);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (root_ / name).string(); }

private:
  std::filesystem::path root_;
};

}  // namespace

TEST_CASE("the sample spec is valid and says what it shows") {
  const auto result = load_spec(quorate::testing::source_dir() + "/samples/cluster.conf", known());
  REQUIRE(message_of(result) == "valid");
  const auto& spec = std::get<cluster_spec>(result);
  CHECK(spec.name == "demo");
  CHECK(spec.protocol == "mencius");
  CHECK(spec.balancer == "local");
  CHECK(spec.sync == "push-pull");
  CHECK(spec.machine == "append_log");
  CHECK(spec.protocol_options.empty());
  REQUIRE(spec.nodes.size() == 3);
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto& node = spec.nodes[i];
    CHECK(node.id == node_id{i + 1U});
    CHECK(node.name == "n" + std::to_string(i + 1));
    CHECK(node.host == "127.0.0.1");
    CHECK(node.port == 7101 + i);
    CHECK(node.http_host == "127.0.0.1");
    CHECK(node.http_port == 8101 + i);
  }
  CHECK(spec.find("n2") == &spec.nodes[1]);
  CHECK(spec.find("n4") == nullptr);
}

TEST_CASE("the order of the nodes means nothing: numbers go by name") {
  std::vector<node_spec> nodes;
  for (const auto* name : {"b", "a-2", "c", "a", "a1"})
    nodes.emplace_back().name = name;
  number_by_name(nodes);
  std::string order;
  for (const auto& n : nodes)
    order += n.name + "=" + std::to_string(n.id.value) + " ";
  CHECK(order == "b=4 a-2=2 c=5 a=1 a1=3 ");
  const auto turned = spec_of(R"(cluster {
    name = "demo"
    nodes = [
    { name = "n2", host = "10.0.0.2", port = 1, http = "10.0.0.2:2" },
    { name = "n3", host = "10.0.0.3", port = 1, http = "10.0.0.3:2" },
    { name = "n1", host = "10.0.0.1", port = 1, http = "10.0.0.1:2" } ] })");
  CHECK(turned.find("n1")->id == node_id{1});
  CHECK(turned.find("n2")->id == node_id{2});
  CHECK(turned.find("n3")->id == node_id{3});
  CHECK(turned.named.empty());
}

TEST_CASE("the sample spec shows the defaults") {
  const auto sample = load_spec(quorate::testing::source_dir() + "/samples/cluster.conf", known());
  const auto& shown = std::get<cluster_spec>(sample);
  const auto left_out = spec_of(valid_text);
  for (const auto& spec : {shown, left_out, cluster_spec{}}) {
    CHECK(spec.balancer == "local");
    CHECK(spec.sync == "push-pull");
    CHECK(spec.machine == "append_log");
    CHECK(spec.timeouts.request == 5s);
    CHECK(spec.timeouts.heartbeat == 100ms);
    CHECK(spec.timeouts.suspect == 1s);
    CHECK(spec.limits.link_bytes == 16 * 1024 * 1024);
    CHECK(spec.limits.requests_in_flight == 4096);
    CHECK(spec.limits.connections == 4096);
    // What the roles take where nobody says anything.
    CHECK(spec.limits.log_entries == log_limits{}.entries_max);
    CHECK(spec.limits.log_bytes == log_limits{}.bytes_max);
  }
}

TEST_CASE("each mistake in a key or value has its one line") {
  check_mistakes(mistakes);
}

TEST_CASE("the first mistake in the text is the one that is told") {
  CHECK(message_of(parse_spec("x = 1\ny = 2", known())) == "spec:1:1: x: unknown key; known here: cluster");
  CHECK(message_of(parse_spec("y = 1\nx = 2", known())) == "spec:1:1: y: unknown key; known here: cluster");
}

TEST_CASE("timeouts, limits and a protocol's options are read") {
  const auto spec = spec_of(with("protocol", R"(timeouts { request = 30s, heartbeat = 20ms
    suspect = 40ms }
  limits { link-bytes = 2097152, requests-in-flight = 1, connections = 65536, log-entries = 1000,
    log-bytes = 1048576 }
  paxos { text = "a b", window = 8, takeover = 30ms, exact = 1500us, never = 0s, long = 90min, fast = true, part = 0.5 }
  machine = "key_value"
  protocol)"));
  CHECK(spec.timeouts.request == 30s);
  CHECK(spec.timeouts.heartbeat == 20ms);
  CHECK(spec.timeouts.suspect == 40ms);
  CHECK(spec.limits.link_bytes == 2097152);
  CHECK(spec.limits.requests_in_flight == 1);
  CHECK(spec.limits.connections == 65536);
  CHECK(spec.limits.log_entries == 1000);
  CHECK(spec.limits.log_bytes == 1048576);
  CHECK(spec.machine == "key_value");
  CHECK(spec.protocol_options == std::map<std::string, std::string>{{"exact", "1500us"},
                                                                    {"fast", "true"},
                                                                    {"long", "90min"},
                                                                    {"never", "0s"},
                                                                    {"part", "0.5"},
                                                                    {"takeover", "30ms"},
                                                                    {"text", "a b"},
                                                                    {"window", "8"}});
}

TEST_CASE("without a check of options every option is taken") {
  auto names = known();
  names.check_options = nullptr;
  CHECK(message_of(parse_spec(with("protocol", "paxos { bad = 1 }\n protocol"), names)) == "valid");
}

TEST_CASE("addresses are IPv4, IPv6 or localhost, each in one spelling") {
  const auto spec = spec_of(with(R"(host = "127.0.0.1", port = 7101, http = "127.0.0.1:8101")",
                                 R"(host = "0:0::1", port = 65535, http = "[::]:1")"));
  CHECK(spec.nodes[0].host == "::1");
  CHECK(spec.nodes[0].port == 65535);
  CHECK(spec.nodes[0].http_host == "::");
  CHECK(spec.nodes[0].http_port == 1);
  CHECK(spec_of(with(R"(host = "127.0.0.1", port = 7101)", R"(host = "localhost", port = 7101)"))
            .nodes[0]
            .host == "127.0.0.1");
}

TEST_CASE("hosts may be names, each in one spelling, and what is bound may be something else") {
  const auto spec = spec_of(with(R"(host = "127.0.0.1", port = 7101, http = "127.0.0.1:8101")",
                                 R"(host = "N1.Example.org", port = 7101, listen = "[0::0]:7301", http = "n1_a:1")"));
  CHECK(spec.nodes[0].host == "n1.example.org");
  CHECK(spec.nodes[0].port == 7101);
  CHECK(spec.nodes[0].listen_host == "::");
  CHECK(spec.nodes[0].listen_port == 7301);
  CHECK(spec.nodes[0].http_host == "n1_a");
  // What is not said is what the others dial.
  CHECK(spec.nodes[1].listen_host == "127.0.0.1");
  CHECK(spec.nodes[1].listen_port == 7102);
}

TEST_CASE("what is neither an address nor a name of a host is no host") {
  CHECK(host_name("a") == "a");
  CHECK(host_name("A.b-c.example.") == "a.b-c.example.");
  CHECK(host_name(std::string(63, 'a')));
  CHECK(host_name("1a.2b"));
  for (const std::string bad : {"", ".", "a..b", ".a", "a..", "-a", "a-", "a b", "a:1", "a/b", "127.1", "1", "a.0x7f",
                                "\xc3\xa4.de", "[::1]", "a@b", "*"}) {
    CAPTURE(bad);
    CHECK_FALSE(host_name(bad));
  }
  CHECK_FALSE(host_name(std::string(64, 'a')));
  CHECK_FALSE(host_name(std::string("a\0b", 3)));
  std::string longest;
  while (longest.size() < 254)
    longest += "a.";
  CHECK_FALSE(host_name(longest));
}

TEST_CASE("nodes on different machines may use the same ports and listen on all addresses") {
  const auto spec = spec_of(R"(cluster { name = "demo", protocol = "paxos", nodes = [
    { name = "n1", host = "10.0.0.1", port = 7101, http = "0.0.0.0:8101" },
    { name = "n2", host = "10.0.0.2", port = 7101, http = "0.0.0.0:8101" }] })");
  CHECK(spec.nodes[1].http_host == "0.0.0.0");
  // Each machine has its own loopback, where something of its own hands clients on.
  const auto behind = spec_of(R"(cluster { name = "demo", protocol = "paxos", nodes = [
    { name = "n1", host = "a.example", port = 7101, listen = "0.0.0.0:7101", http = "127.0.0.1:8101" },
    { name = "n2", host = "b.example", port = 7101, listen = "0.0.0.0:7101", http = "127.0.0.1:8101" }] })");
  CHECK(behind.nodes[1].http_host == "127.0.0.1");
}

TEST_CASE("two nodes of one machine cannot both listen on all addresses of a port") {
  const auto result = parse_spec(R"(cluster { name = "demo", protocol = "paxos", nodes = [
    { name = "n1", host = "10.0.0.1", port = 7101, http = "0.0.0.0:8101" },
    { name = "n2", host = "10.0.0.1", port = 7102, http = "0.0.0.0:8101" }] })",
                                 known());
  CHECK(message_of(result) ==
        "spec:3:52: cluster.nodes[1].http: 10.0.0.1:8101 belongs to cluster.nodes[0].http too");
}

TEST_CASE("a file that cannot be read as a spec is told with its name") {
  const scratch files;
  const auto told = [](const std::string& path) { return message_of(load_spec(path, known())); };
  const auto missing = files.path("missing");
  CHECK(told(missing) == missing + ": no such file");
  CHECK(told(files.path("")) == files.path("") + ": is a directory, not a file");
  CHECK(told("") == "\"\": no such file");
  const auto good = files.file("good", valid_text);
  CHECK(told(good) == "valid");
  CHECK(told(good + "/x") == good + "/x: a part of the path is not a directory");
  const auto bad = files.file("bad", "cluster {\n  name = demo\n}\n");
  CHECK(told(bad) == bad + ":2:10: \"demo\" is not a value (a text needs quotes)");
  const auto fifo = files.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(told(fifo) == fifo + ": is not a regular file");
  CHECK(told(files.path("a\nb")) == files.path("a?b") + ": no such file");
  if (geteuid() != 0) {  // root may read everything
    const auto secret = files.file("secret", valid_text);
    REQUIRE(chmod(secret.c_str(), 0) == 0);
    CHECK(told(secret) == secret + ": no permission to read it");
  }
}

TEST_CASE("a spec has a largest size") {
  const scratch files;
  auto text = valid_text + "#";
  text.resize(spec_bytes_max, '#');
  const auto path = files.file("large", text);
  CHECK(message_of(load_spec(path, known())) == "valid");
  text += '#';
  CHECK(message_of(load_spec(files.file("large", text), known())) == path + ": is larger than 1048576 bytes");
  CHECK(message_of(parse_spec(text, known())) == "spec: is larger than 1048576 bytes");
}
