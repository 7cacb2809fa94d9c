// What is wrong with a start is said in one line on stderr, which names it, and by the exit code.

#include "tests/harness/process/process_cluster.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace {

using namespace quorate::testing;

constexpr int could_not_start = 1;
constexpr int bad_config = 2;

/// The mistakes are made with the command line of node 1, in the files of a cluster that does not run.
struct mistake_desk {
  process_cluster cluster;
  std::vector<std::string> words = cluster.command_line(1);

  void replace(const std::string& option, const std::string& value) {
    for (auto& word : words)
      if (word.starts_with(option + "="))
        word = option + "=" + value;
  }
  void drop(const std::string& option) {
    std::erase_if(words, [&](const auto& word) { return word.starts_with(option + "="); });
  }
  /// Puts `text` where `what` is in the spec.
  void spoil_spec(const std::string& what, const std::string& text) {
    auto spec = file_text(cluster.spec());
    const auto at = spec.find(what);
    REQUIRE(at != spec.npos);
    spec.replace(at, what.size(), text);
    std::ofstream{cluster.spec()} << spec;
  }

  /// Runs it, and sees that it ends with `code` and that the last line on stderr names `parts`.
  void expect(int code, const std::vector<std::string>& parts) {
    const auto run = run_program(words, cluster.directory());
    INFO("stderr: " << run.errors);
    REQUIRE(run.end);
    CHECK(text(*run.end) == text(process_end{code, 0}));
    CHECK(run.output == "");
    // What it logged before it failed has a time in front; the mistake has the program's name.
    CHECK(mistakes(run.errors) == 1);
    const auto last = run.errors.rfind("node_runtime: ");
    REQUIRE(last != std::string::npos);
    const auto line = run.errors.substr(last);
    for (const auto& part : parts)
      CHECK_MESSAGE(line.find(part) != std::string::npos, "not named: " << part);
    CHECK(std::ranges::count(line, '\n') == 1);
  }

  static std::size_t mistakes(const std::string& errors) {
    std::size_t count = 0;
    for (auto at = errors.find("node_runtime: "); at != errors.npos;
         at = errors.find("node_runtime: ", at + 1))
      ++count;
    return count;
  }
};

/// A port that somebody else listens on.
class taken_port {
public:
  explicit taken_port(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
  }
  ~taken_port() { ::close(fd_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;

private:
  int fd_;
};

TEST_CASE("--help explains every option and exits with 0") {
  process_cluster cluster;
  const auto run = run_program({node_runtime_path(), "--help"}, cluster.directory());
  REQUIRE(run.end);
  CHECK(text(*run.end) == "exit code 0");
  CHECK(run.errors == "");
  for (const auto* word : {"--config-file", "--node", "--data-dir", "--log-level", "--help", "cluster.name",
                           "cluster.nodes", "cluster.protocol", "SIGTERM", "Exit codes"})
    CHECK_MESSAGE(run.output.find(word) != std::string::npos, "not explained: " << word);
}

TEST_CASE("a mistake on the command line is named, exit code 2") {
  mistake_desk desk;
  SUBCASE("no option at all") {
    desk.words.resize(1);
    desk.expect(bad_config, {"--config-file", "missing"});
  }
  SUBCASE("a stray word") {
    desk.words.push_back("verbose");
    desk.expect(bad_config, {"stray word", "verbose"});
  }
  SUBCASE("an unknown option") {
    desk.words.push_back("--data-dirs=x");
    desk.expect(bad_config, {"--data-dirs", "--data-dir"});
  }
  SUBCASE("an option twice") {
    desk.words.push_back("--node=n2");
    desk.expect(bad_config, {"--node", "twice"});
  }
  SUBCASE("no data directory") {
    desk.drop("--data-dir");
    desk.expect(bad_config, {"--data-dir", "missing"});
  }
  SUBCASE("an unknown log level") {
    desk.replace("--log-level", "loud");
    desk.expect(bad_config, {"--log-level", "loud"});
  }
  SUBCASE("an unknown node") {
    desk.replace("--node", "n9");
    desk.expect(bad_config, {"n9", "n1, n2, n3"});
  }
  SUBCASE("a spec that does not exist") {
    desk.replace("--config-file", "/does/not/exist.conf");
    desk.expect(bad_config, {"/does/not/exist.conf"});
  }
  SUBCASE("a spec that is a directory") {
    desk.replace("--config-file", desk.cluster.directory().string());
    desk.expect(bad_config, {desk.cluster.directory().string()});
  }
}

TEST_CASE("a mistake in the spec is named by its key, exit code 2") {
  mistake_desk desk;
  SUBCASE("an unknown key") {
    desk.spoil_spec("protocol = ", "protocl = ");
    desk.expect(bad_config, {"cluster.protocl"});
  }
  SUBCASE("a stray word") {
    desk.spoil_spec("  nodes = [", "  hello\n  nodes = [");
    desk.expect(bad_config, {"hello"});
  }
  SUBCASE("a wrong type") {
    desk.spoil_spec("protocol = \"mencius\"", "protocol = 7");
    desk.expect(bad_config, {"cluster.protocol"});
  }
  SUBCASE("an unknown protocol") {
    desk.spoil_spec("\"mencius\"", "\"pixos\"");
    desk.expect(bad_config, {"cluster.protocol", "pixos"});
  }
  SUBCASE("an unknown policy") {
    desk.spoil_spec("  nodes = [", "  balancer = \"dice\"\n  nodes = [");
    desk.expect(bad_config, {"cluster.balancer", "dice"});
  }
  SUBCASE("an unknown strategy") {
    desk.spoil_spec("  nodes = [", "  sync = \"hope\"\n  nodes = [");
    desk.expect(bad_config, {"cluster.sync", "hope"});
  }
  SUBCASE("a node twice") {
    desk.spoil_spec("\"n2\"", "\"n1\"");
    desk.expect(bad_config, {"cluster.nodes", "n1"});
  }
  SUBCASE("a port twice") {
    desk.spoil_spec(std::to_string(desk.cluster.peer_port(2)), std::to_string(desk.cluster.peer_port(1)));
    desk.expect(bad_config, {"cluster.nodes", std::to_string(desk.cluster.peer_port(1))});
  }
  SUBCASE("a brace too few") {
    desk.spoil_spec("  ]\n}", "  ]\n");
    desk.expect(bad_config, {desk.cluster.spec().string()});
  }
  SUBCASE("an empty file") {
    std::ofstream{desk.cluster.spec()} << "";
    desk.expect(bad_config, {"cluster"});
  }
}

TEST_CASE("a port in use is named, exit code 1") {
  mistake_desk desk;
  SUBCASE("of the other nodes") {
    const taken_port taken{desk.cluster.peer_port(1)};
    desk.expect(could_not_start, {std::to_string(desk.cluster.peer_port(1)), "another process"});
  }
  SUBCASE("of clients") {
    const taken_port taken{desk.cluster.http_port(1)};
    desk.expect(could_not_start, {std::to_string(desk.cluster.http_port(1)), "in use"});
  }
}

TEST_CASE("an address of another machine is told as what it is, exit code 1") {
  mistake_desk desk;
  const auto port = std::to_string(desk.cluster.peer_port(1));
  SUBCASE("for the other nodes") {
    desk.spoil_spec("host = \"127.0.0.1\", port = " + port, "host = \"192.0.2.1\", port = " + port);
    desk.expect(could_not_start, {"192.0.2.1:" + port, "other nodes", "not one of this machine"});
  }
  SUBCASE("for the other nodes, bound apart from what they dial") {
    desk.spoil_spec("host = \"127.0.0.1\", port = " + port,
                    "host = \"127.0.0.1\", listen = \"192.0.2.1:80\", port = " + port);
    desk.expect(could_not_start, {"192.0.2.1:80", "other nodes", "not one of this machine"});
  }
  SUBCASE("for clients") {
    const auto http = std::to_string(desk.cluster.http_port(1));
    desk.spoil_spec("\"127.0.0.1:" + http, "\"192.0.2.1:" + http);
    desk.expect(could_not_start, {"192.0.2.1:" + http, "clients", "not one of this machine"});
  }
  SUBCASE("by a name that nobody knows") {
    desk.spoil_spec("host = \"127.0.0.1\", port = " + port, "host = \"no-such-host.invalid\", port = " + port);
    desk.expect(could_not_start, {"no-such-host.invalid:" + port, "the name "});
  }
}

/// Names, sizes and times of all that is there.
std::string contents(const std::filesystem::path& directory) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{directory})
    lines.push_back(entry.path().string() + " " +
                    (entry.is_regular_file() ? std::to_string(entry.file_size()) : "") + " " +
                    std::to_string(entry.last_write_time().time_since_epoch().count()) + "\n");
  std::ranges::sort(lines);
  std::string all;
  for (const auto& line : lines)
    all += line;
  return all;
}

TEST_CASE("a start that finds a port taken, or the directory, has written nothing") {
  mistake_desk desk;
  const auto data = desk.cluster.data(1);
  for (const auto port : {desk.cluster.peer_port(1), desk.cluster.http_port(1)}) {
    const taken_port taken{port};
    desk.expect(could_not_start, {std::to_string(port)});
  }
  CHECK(contents(data) == "");
  desk.cluster.launch(1);
  REQUIRE(desk.cluster.wait_log(1, "serves clients"));
  REQUIRE(desk.cluster.stop(1));
  const auto before = contents(data);
  for (auto i = 0; i < 3; ++i)
    for (const auto port : {desk.cluster.peer_port(1), desk.cluster.http_port(1)}) {
      const taken_port taken{port};
      desk.expect(could_not_start, {std::to_string(port)});
    }
  CHECK(contents(data) == before);
}

TEST_CASE("a data directory of a running node is refused by its holder's process id, exit code 1") {
  mistake_desk desk;
  desk.cluster.launch(1);
  REQUIRE(desk.cluster.wait_log(1, "serves clients"));
  desk.expect(could_not_start, {desk.cluster.data(1).string(), "in use by process"});
  // A lock file is nothing that anybody could remove.
  std::filesystem::remove(desk.cluster.data(1) / "lock");
  const auto identity = file_text(desk.cluster.data(1) / "identity");
  desk.expect(could_not_start, {desk.cluster.data(1).string(), "in use by process"});
  CHECK(file_text(desk.cluster.data(1) / "identity") == identity);
  // And the holder did not mind.
  CHECK(desk.cluster.running(1));
  CHECK(desk.cluster.stop(1));
}

TEST_CASE("a data directory of somebody else is refused") {
  mistake_desk desk;
  desk.cluster.launch(1);
  REQUIRE(desk.cluster.wait_log(1, "serves clients"));
  REQUIRE(desk.cluster.stop(1));
  const auto identity = desk.cluster.data(1) / "identity";
  const auto before = file_text(identity);
  REQUIRE(before != "");
  SUBCASE("of another node") {
    desk.replace("--node", "n2");
    desk.expect(bad_config, {desk.cluster.data(1).string(), "node n1", "node n2"});
    CHECK(file_text(identity) == before);
  }
  SUBCASE("of another cluster") {
    desk.spoil_spec("\"processes\"", "\"another\"");
    desk.expect(bad_config, {desk.cluster.data(1).string(), "cluster processes", "cluster another"});
    CHECK(file_text(identity) == before);
  }
  SUBCASE("with a damaged identity") {
    auto damaged = before;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    std::ofstream{identity, std::ios::binary} << damaged;
    desk.expect(could_not_start, {identity.string(), "damaged"});
    CHECK(file_text(identity) == damaged);
  }
  SUBCASE("without an identity, but with data") {
    std::filesystem::remove(identity);
    desk.expect(could_not_start, {identity.string(), "missing"});
    CHECK_FALSE(std::filesystem::exists(identity));
  }
}

TEST_CASE("a directory that holds something else is left alone, exit code 2") {
  mistake_desk desk;
  const auto data = desk.cluster.data(1);
  std::filesystem::create_directory(data);
  std::ofstream{data / "thesis.txt"} << "chapter 1";
  desk.expect(bad_config, {data.string(), "thesis.txt"});
  CHECK(std::distance(std::filesystem::directory_iterator{data}, {}) == 1);
}

TEST_CASE("a flipped byte in the middle of the journal's log stops the start, exit code 1") {
  process_cluster cluster;
  INFO(cluster.report());
  REQUIRE(cluster.start());
  auto n1 = cluster.client(1);
  for (int i = 0; i < 50; ++i) {
    const auto reply = n1.post("/append_log", R"({"key":"k","value":")" + std::string(1'000, 'x') + R"("})");
    REQUIRE(reply);
    REQUIRE(reply->status == 200);
  }
  for (std::size_t n = 1; n <= 3; ++n)
    cluster.kill9(n);
  std::filesystem::path newest;
  for (const auto& file : std::filesystem::directory_iterator{cluster.data(1) / "journal"})
    if (file.path().extension() == ".segment" && file_text(file.path()).find("xxxx") != std::string::npos)
      newest = file.path();
  REQUIRE_FALSE(newest.empty());
  auto bytes = file_text(newest);
  const auto written = bytes.find_last_not_of('\0');
  REQUIRE(written > 10'000);
  bytes[written / 2] = static_cast<char>(bytes[written / 2] ^ 1);
  std::ofstream{newest, std::ios::binary} << bytes;

  const auto run = run_program(cluster.command_line(1), cluster.directory());
  INFO("stderr: " << run.errors);
  REQUIRE(run.end);
  CHECK(text(*run.end) == "exit code 1");
  CHECK(mistake_desk::mistakes(run.errors) == 1);
  CHECK(run.errors.find((cluster.data(1) / "journal").string()) != std::string::npos);
}

}  // namespace
