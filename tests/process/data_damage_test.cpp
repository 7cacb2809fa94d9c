// A data directory of which a file was cut, flipped or removed: the node starts and everything acknowledged
// is there, or it stops with one line and exit code 1. It never answers with anything else.

#include "tests/harness/process/healing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <thread>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t appends = 60;
constexpr auto seed = 5;

std::string value_of(std::size_t i) {
  return std::to_string(i) + std::string(200, 'v');
}

/// identity, journal/NEWEST, state/MANIFEST, state/sst, …: files of one kind have one name. Each file of the
/// journal is a kind of its own.
std::string kind_of(const fs::path& file) {
  auto name = file.filename().string();
  if (file.extension() == ".segment")
    return file.string();
  if (const auto number = name.find_first_of("0123456789"); number != name.npos)
    name = number > 0 ? name.substr(0, number) : file.extension().string();
  return (file.has_parent_path() ? file.parent_path().string() + "/" : "") + name;
}

/// One node with a log, stopped, and its data directory to damage again and again.
struct damaged_node {
  process_cluster cluster{cluster_plan{.nodes = 1, .more_spec = "", .log_level = "info"}};
  fs::path data = cluster.data(1);
  fs::path whole = cluster.directory() / "whole";
  std::map<std::string, fs::path> largest;  ///< of each kind, below the data directory

  damaged_node() {
    REQUIRE(cluster.start());
    auto client = cluster.client(1);
    // In several starts: the journal and the state get table files, and manifests with more than one edit.
    for (std::size_t i = 0; i < appends; ++i) {
      const auto reply = client.post("/append_log", append_text("k", value_of(i)));
      REQUIRE(reply);
      REQUIRE(reply->status == 200);
      if (i % 20 == 10) {
        REQUIRE(cluster.stop(1));
        cluster.launch(1);
        REQUIRE(cluster.wait_healthy(1));
      }
    }
    cluster.kill9(1);
    fs::copy(data, whole, fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator{whole}) {
      if (!entry.is_regular_file())
        continue;
      const auto file = fs::relative(entry.path(), whole);
      auto& best = largest[kind_of(file)];
      if (best.empty() || entry.file_size() > fs::file_size(whole / best))
        best = file;
    }
  }

  /// Starts on what is there now; what is wrong with what it does, empty where nothing is.
  std::string start(bool may_lose_its_end) {
    cluster.launch(1);
    for (const auto end = std::chrono::steady_clock::now() + 15s; !cluster.healthy(1);) {
      if (!cluster.running(1))
        return stopped();
      if (std::chrono::steady_clock::now() > end) {
        cluster.kill9(1);
        return "it neither serves nor stops";
      }
      std::this_thread::sleep_for(10ms);
    }
    auto client = cluster.client(1);
    const auto log = read_log(client, true);
    // Damage may also be seen when it is read, and stops the node then.
    if (!log && cluster.await_end(1, 5s))
      return stopped();
    std::string wrong;
    if (!log)
      wrong = "its log cannot be read";
    else if (log->size() > appends || (log->size() < appends && !may_lose_its_end))
      wrong = "its log has " + std::to_string(log->size()) + " entries";
    for (std::size_t i = 0; log && wrong.empty() && i < log->size(); ++i)
      if ((*log)[i].value.find(value_of(i)) == std::string::npos)
        wrong = "entry " + std::to_string(i) + " is another";
    cluster.kill9(1);
    return wrong;
  }

private:
  std::string stopped() {
    const auto end = cluster.await_end(1, 5s);
    if (!end || text(*end) != "exit code 1")
      return "it ended with " + (end ? text(*end) : "nothing");
    const auto lines = cluster.log_lines(1, "node_runtime: ").size() + cluster.log_lines(1, " E n1 ").size();
    return lines == 1 ? "" : "it said " + std::to_string(lines) + " lines";
  }
};

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
}

TEST_CASE("whatever file of a data directory is damaged, nothing acknowledged is lost in silence") {
  damaged_node node;
  INFO(node.cluster.report());
  // LOG files are notes of RocksDB's for people.
  for (const auto* kind :
       {"identity", "journal/NEWEST", "state/CURRENT", "state/MANIFEST-", "state/OPTIONS-"})
    CHECK_MESSAGE(node.largest.contains(kind), kind);
  CHECK(std::count_if(node.largest.begin(), node.largest.end(),
                      [](const auto& kind) { return kind.first.ends_with(".segment"); }) >= 2);
  std::mt19937_64 random{seed};
  std::string found;
  for (const auto& [kind, file] : node.largest) {
    // The end of a manifest is not to be told from one that was never written: what is left must be right.
    // Whoever has lost it is one node of several.
    const auto has_an_end = kind.find("MANIFEST") != kind.npos;
    const auto bytes = file_text(node.whole / file);
    // A damaged last record passes for one that was being written; and behind it there is nothing yet.
    const auto written = bytes.find_last_not_of('\0') + 1;
    const auto flippable = std::max<std::size_t>(1, has_an_end                       ? bytes.size() / 2
                                                    : file.extension() == ".segment" ? written * 3 / 4
                                                                                     : bytes.size());
    for (const std::string how : {"missing", "empty", "cut", "flipped", "flipped early"}) {
      fs::remove_all(node.data);
      fs::copy(node.whole, node.data, fs::copy_options::recursive);
      auto damaged = bytes;
      if (how == "missing")
        fs::remove(node.data / file);
      else if (bytes.empty())
        continue;
      else if (how == "empty")
        damaged.clear();
      else if (how == "cut")
        damaged.resize(random() % bytes.size());
      else if (how == "flipped early")
        damaged[random() % std::min<std::size_t>(bytes.size(), 64)] ^= static_cast<char>(1 << random() % 8);
      else
        damaged[random() % flippable] ^= static_cast<char>(1 << random() % 8);
      if (how != "missing")
        write(node.data / file, damaged);
      if (const auto wrong = node.start(has_an_end && how != "flipped" && how != "flipped early");
          !wrong.empty())
        found += kind + " (" + file.string() + ") " + how + ": " + wrong + "\n";
    }
  }
  CHECK(found == "");
}

}  // namespace
