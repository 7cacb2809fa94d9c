// Whatever operation of the disk fails, in a start or under load: the process goes on, or ends with one line
// and exit code 1, and the directory starts again when the disk is well.

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"
#include "tests/harness/process/process_cluster.hpp"
#include "tests/power/recorded_disk.hpp"
#include "tests/power/scratch_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using namespace quorate::testing;
using namespace std::chrono_literals;

/// How a disk fails.
struct bad_disk {
  const char* name;
  std::uint32_t kinds;
  int error;
  bool stays;
  const char* part = "";  ///< of the paths that it concerns
};

constexpr bad_disk ways[] = {
    {"a full disk", fail_writes, ENOSPC, true},
    {"a disk that was full for a moment", fail_writes, ENOSPC, false},
    {"a write that fails", fail_writes, EIO, false},
    {"a file that may not grow", fail_writes, EFBIG, true},
    {"a sync that fails", fail_syncs, EIO, false},
    {"a read that fails", fail_reads, EIO, false},
    {"a full disk below the state", fail_writes, ENOSPC, true, "/state/"},
    {"a write that fails below the state", fail_writes, EIO, false, "/state/"},
    {"a sync that fails below the state", fail_syncs, EIO, false, "/state/"},
};

/// QUORATE_BAD_DISK_STEPS=1 tries every operation; 13, the default, every thirteenth, from another one each
/// way.
std::uint64_t step() {
  const auto* text = std::getenv("QUORATE_BAD_DISK_STEPS");
  return text == nullptr ? 13 : std::max(1ull, std::strtoull(text, nullptr, 10));
}

/// One node, on a disk that fails.
class bad_disk_desk {
public:
  bad_disk_desk() : disk_(folder_.path(), "n1"), cluster_(plan()) {}

  /// Starts on `left`, with the `at`th operation failing. What is wrong, empty if nothing is.
  std::string try_start(const disk_image& left, const bad_disk& how, std::uint64_t at) {
    left.write(disk_.data());
    disk_.show(weather(how, at));
    cluster_.launch(1);
    const auto up = cluster_.wait_healthy(1, 10s);
    std::string wrong;
    if (up)
      cluster_.kill9(1);
    else
      wrong = judge_end();
    return wrong + start_again();
  }

  /// Starts, and puts load on it until the `at`th operation fails. What is wrong; `reached` says whether it
  /// did.
  std::string try_load(const bad_disk& how, std::uint64_t at, bool& reached) {
    disk_image{}.write(disk_.data());
    disk_.show(weather(how, at));
    cluster_.launch(1);
    std::string wrong;
    append_history seen;
    if (cluster_.wait_healthy(1, 10s)) {
      append_clients clients{
          "c", cluster_.http_ports(), {.per_node = 4, .timeout = 1s, .value_bytes = 30'000}};
      auto end = std::chrono::steady_clock::now() + 1s;
      for (auto failed = false; cluster_.running(1) && std::chrono::steady_clock::now() < end;) {
        if (!std::exchange(failed, disk_.failed() > 0) && failed)
          end = std::chrono::steady_clock::now() + 300ms;  // it may go on
        std::this_thread::sleep_for(5ms);
      }
      if (cluster_.running(1))
        cluster_.kill9(1);
      else
        wrong = judge_end();
      seen = clients.stop();
    } else {
      wrong = judge_end();
    }
    reached = disk_.failed() > 0;
    wrong += start_again(false);
    const auto logs = settled_logs(cluster_, {1}, 10s);
    wrong += violations(seen, logs);
    cluster_.kill9(1);
    return wrong;
  }

  /// A directory that has been used, and the operations that a start on `left` takes.
  disk_image used() {
    disk_image{}.write(disk_.data());
    disk_.show();
    cluster_.launch(1);
    REQUIRE(cluster_.wait_healthy(1));
    append_clients clients{"u", cluster_.http_ports(), {.per_node = 4, .timeout = 1s, .value_bytes = 20'000}};
    std::this_thread::sleep_for(400ms);
    static_cast<void>(cluster_.stop(1));
    static_cast<void>(clients.stop());
    return disk_image::read(disk_.data());
  }
  std::uint64_t operations_of_a_start(const disk_image& left, const bad_disk& how) {
    left.write(disk_.data());
    disk_.show(weather(how, 0));
    cluster_.launch(1);
    REQUIRE(cluster_.wait_healthy(1));
    cluster_.kill9(1);
    return disk_.countable();
  }

private:
  cluster_plan plan() {
    cluster_plan c;
    c.nodes = 1;
    c.more_spec = "  limits { log-entries = 1000, log-bytes = 1048576 }";
    c.places.push_back({"127.0.0.1", {disk_.environment(), -1}, disk_.data()});
    return c;
  }
  static disk_weather weather(const bad_disk& how, std::uint64_t at) {
    disk_weather w;
    w.fault_kinds = how.kinds;
    w.fault_error = how.error;
    w.fault_stays = how.stays;
    w.fault_at = at;
    w.fault_part = how.part;
    return w;
  }

  /// It has ended: with exit code 1, and one line that says why.
  std::string judge_end() {
    const auto end = cluster_.await_end(1, 5s);
    const auto lines = cluster_.log_lines(1, "");
    const auto why = std::ranges::count_if(lines, [](const std::string& line) {
      return line.starts_with("node_runtime: ") || line.find(" E ") != line.npos;
    });
    const auto others = std::ranges::count_if(lines, [](const std::string& line) {
      return !line.starts_with("node_runtime: ") && line.find(" n1 ") == line.npos;
    });
    if (end == process_end{1, 0} && why == 1 && others == 0)
      return {};
    std::string all = end ? text(*end) : "it hangs";
    cluster_.kill9(1);
    for (const auto& line : lines)
      all += "\n    " + line;
    return "it did not end with one line and exit code 1: " + all + "\n";
  }

  std::string start_again(bool end = true) {
    disk_.show();
    cluster_.launch(1);
    std::string wrong;
    if (!cluster_.wait_healthy(1, 10s)) {
      wrong = "it does not start again:";
      for (const auto& line : cluster_.log_lines(1, ""))
        wrong += "\n    " + line;
      wrong += "\n";
    }
    if (end)
      cluster_.kill9(1);
    return wrong;
  }

  scratch_folder folder_;
  recorded_disk disk_;
  process_cluster cluster_;
};

TEST_CASE("a start on a bad disk ends with one line, wherever it fails, and the directory starts again") {
  bad_disk_desk desk;
  const auto used = desk.used();
  std::uint64_t tried = 0;
  for (std::size_t i = 0; i < std::size(ways); ++i) {
    if (std::string_view{ways[i].part} != "")
      continue;  // its operations are among the others'
    for (const auto* left : {&used, static_cast<const disk_image*>(nullptr)}) {
      const auto& from = left != nullptr ? *left : disk_image{};
      const auto all = desk.operations_of_a_start(from, ways[i]);
      for (auto at = 1 + 3 * i % step(); at <= all; at += step(), ++tried) {
        const auto wrong = desk.try_start(from, ways[i], at);
        const auto where = std::string{ways[i].name} + ", operation " + std::to_string(at) + " of " +
                           std::to_string(all) + (left ? ", a used directory" : ", a new directory");
        CHECK_MESSAGE(wrong == "", where);
      }
    }
  }
  std::cout << "starts on a bad disk: " << tried << "\n";
}

TEST_CASE(
    "a disk that fails under load ends the node with one line, and what was acknowledged is there again") {
  bad_disk_desk desk;
  std::uint64_t tried = 0;
  for (const auto& how : ways) {
    const auto start = desk.operations_of_a_start({}, how);
    // Ever further behind the start, until what is asked for is not reached any more.
    auto reached = true;
    for (std::uint64_t more = 1; reached && more < 3'000; more *= step() == 1 ? 2 : 40, ++tried) {
      const auto wrong = desk.try_load(how, start + more, reached);
      const auto where = std::string{how.name} + ", operation " + std::to_string(more) + " behind the start";
      CHECK_MESSAGE(wrong == "", where);
    }
  }
  std::cout << "loads on a bad disk: " << tried << "\n";
}

}  // namespace
