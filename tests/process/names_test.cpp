// Hosts that are given by name.

#include "tests/harness/process/log_pages.hpp"
#include "tests/process/wrapped_node.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

/// A file of names that the nodes take for the system's, where the system lets this user do that.
struct own_hosts {
  explicit own_hosts(const process_cluster& cluster) : file(cluster.directory() / "hosts") {
    set({});
    for (const std::string user : {"", "-r"}) {
      const auto script = "unshare " + user + " -m true && exec unshare " + user +
                          " -m /bin/sh -c 'mount --bind \"$0\" /etc/hosts && exec \"$@\"' \"$0\" \"$@\"";
      words = {"/bin/sh", "-c", script, file.string()};
      auto probe = words;
      probe.push_back("/bin/true");
      if (const auto run = run_program(probe, cluster.directory()); run.end == process_end{0, 0})
        return;
    }
    words.clear();
  }
  void set(const std::vector<std::string>& lines) const {
    std::ofstream out{file};
    out << "127.0.0.1 localhost\n";
    for (const auto& line : lines)
      out << line << "\n";
  }
  std::filesystem::path file;
  std::vector<std::string> words;  ///< in front of a command line; empty where the system does not let us
};

TEST_CASE("nodes find one another by name, and again where the addresses behind the names change") {
  process_cluster cluster;
  INFO(cluster.report());
  auto spec = file_text(cluster.spec());
  for (std::size_t n = 1; n <= 3; ++n) {
    const auto host = "host = \"127.0.0.1\", port = " + std::to_string(cluster.peer_port(n));
    const auto at = spec.find(host);
    REQUIRE(at != spec.npos);
    spec.replace(at + 8, 9, "quorate-n" + std::to_string(n));
  }
  std::ofstream{cluster.spec()} << spec;
  const own_hosts hosts{cluster};
  if (hosts.words.empty()) {
    MESSAGE("left out: this system does not let the test have names of its own");
    return;
  }
  wrapped_node one{cluster, 1, hosts.words};
  wrapped_node two{cluster, 2, hosts.words};
  wrapped_node three{cluster, 3, hosts.words};

  // At first there is nobody behind one name, and the other one is not known.
  hosts.set({"127.0.0.1 quorate-n1", "127.0.0.99 quorate-n2"});
  REQUIRE(one.start());
  REQUIRE(one.wait_log("serves clients"));
  std::this_thread::sleep_for(500ms);
  hosts.set({"127.0.0.1 quorate-n1", "127.0.0.2 quorate-n2", "127.0.0.3 quorate-n3"});
  REQUIRE(two.start());
  REQUIRE(three.start());
  for (auto* node : {&one, &two, &three})
    REQUIRE(node->wait_healthy());

  auto n1 = cluster.client(1);
  REQUIRE(n1.post("/append_log", append_text("k", "before")));
  // Both others move, one after the other; n1 dials them, and is told by nobody.
  two.kill9();
  hosts.set({"127.0.0.1 quorate-n1", "127.0.0.12 quorate-n2", "127.0.0.3 quorate-n3"});
  REQUIRE(two.start());
  REQUIRE(two.wait_healthy());
  three.kill9();
  hosts.set({"127.0.0.1 quorate-n1", "127.0.0.12 quorate-n2", "127.0.0.13 quorate-n3"});
  REQUIRE(three.start());
  REQUIRE(three.wait_healthy());
  const auto log = read_log(n1, true);
  REQUIRE(log);
  CHECK(log->size() == 1);
  CHECK(one.stop());
}

TEST_CASE("a node that is known by a name binds what stands behind it") {
  process_cluster cluster{lone_node()};
  const own_hosts hosts{cluster};
  if (hosts.words.empty()) {
    MESSAGE("left out: this system does not let the test have names of its own");
    return;
  }
  hosts.set({"127.0.0.7 quorate-n1"});
  auto spec = file_text(cluster.spec());
  for (const std::string address : {"host = \"127.0.0.1", "http = \"127.0.0.1"}) {
    const auto at = spec.find(address);
    REQUIRE(at != spec.npos);
    spec.replace(at + address.size() - 9, 9, "quorate-n1");
  }
  std::ofstream{cluster.spec()} << spec;
  wrapped_node node{cluster, 1, hosts.words};
  REQUIRE(node.start());
  REQUIRE(node.wait_log("serves clients"));
  http_client there{endpoint{"127.0.0.7", cluster.http_port(1)}};
  CHECK(there.get("/healthz"));
  CHECK_FALSE(cluster.healthy(1));
  CHECK(node.stop());
}

}  // namespace
