// client_load: durable commands through the C++ client: three server processes, one client process.
//
//   client_load --systems=paxos --outstanding=1,256,4096 --seconds=5 --bytes=100 --nodes=1,2,3 --output=DIR
//   [--smoke]
//
// Each answered command is followed by the next. Writes client.md.

#include "protocols/registry.hpp"
#include "runtime/client.hpp"
#include "tests/bench/parts/floor.hpp"
#include "tests/bench/parts/picture.hpp"
#include "tests/bench/parts/quorate_subject.hpp"
#include "tests/bench/parts/scratch.hpp"
#include "tests/bench/parts/words.hpp"

#include <algorithm>
#include <cstdio>
#include <future>

#include <unistd.h>

namespace {

using namespace quorate::bench;
using std::chrono::milliseconds;

/// Keeps so many commands outstanding. Everything but the counters runs on the client's thread.
class closed_loop {
public:
  closed_loop(quorate::client& client, std::size_t bytes)
      : client_(client), value_(std::string(bytes, 'x')) {}

  void start(std::size_t outstanding) {
    outstanding_ = outstanding;
    for (std::size_t i = 0; i < outstanding; ++i)
      ask();
  }
  /// No more questions; returns when the last one has been answered.
  void stop() {
    asking_ = false;
    done_.get_future().wait();
  }
  [[nodiscard]] speed between(steady::time_point from, steady::time_point to) const {
    std::vector<nanoseconds> took;
    for (const auto& [at, t] : answers_)
      if (at >= from && at < to)
        took.push_back(t);
    return speed_of(std::move(took), to - from);
  }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }

private:
  void ask() {
    client_.submit("load", value_, [this, sent = steady::now()](const quorate::client::answer& a) {
      const auto now = steady::now();
      if (a.code == quorate::errc::ok)
        answers_.emplace_back(now, now - sent);
      else
        ++errors_;
      if (asking_)
        ask();
      else if (--outstanding_ == 0)
        done_.set_value();
    });
  }

  quorate::client& client_;
  quorate::payload value_;
  std::vector<std::pair<steady::time_point, nanoseconds>> answers_;
  std::uint64_t errors_ = 0;
  std::size_t outstanding_ = 0;
  std::atomic<bool> asking_{true};
  std::promise<void> done_;
};

struct result {
  speed commands;
  double cpu_servers = 0;  ///< seconds per 10,000 commands, all three
  double cpu_client = 0;
  double rss_mib = 0;
  std::uint64_t errors = 0;
};

result measure(subject& cluster, quorate::client& client, std::size_t outstanding, std::size_t bytes,
               milliseconds length) {
  closed_loop loop{client, bytes};
  loop.start(outstanding);
  std::this_thread::sleep_for(length / 4);
  const auto servers = cluster.used();
  const auto own = usage_of(::getpid());
  const auto from = steady::now();
  std::this_thread::sleep_for(length);
  const auto to = steady::now();
  const auto servers_after = cluster.used();
  const auto own_after = usage_of(::getpid());
  loop.stop();
  result r;
  r.commands = loop.between(from, to);
  const auto per = 1e4 / std::max(static_cast<double>(r.commands.count), 1.0);
  r.cpu_servers = (servers_after.cpu_seconds - servers.cpu_seconds) * per;
  r.cpu_client = (own_after.cpu_seconds - own.cpu_seconds) * per;
  r.rss_mib = servers_after.rss_mib;
  r.errors = loop.errors();
  return r;
}

}  // namespace

int main(int argc, char** argv) {
  command_words given{"client_load", argc, argv};
  const auto smoke = given.flag("--smoke");
  std::vector<std::string> protocols;
  for (const auto& p : quorate::all_protocols())
    protocols.push_back(p.name);
  const auto systems = given.words("--systems", protocols);
  const auto outstanding = given.numbers("--outstanding", smoke ? std::vector<std::size_t>{1, 256}
                                                                : std::vector<std::size_t>{1, 256, 4'096});
  const milliseconds length{smoke ? 500 : 1'000 * given.number("--seconds", 5)};
  const auto bytes = given.number("--bytes", 100);
  const auto known = given.numbers("--nodes", {1, 2, 3});
  const auto output = given.word("--output", ".");
  if (!given.understood() || !known_systems(systems))
    return 2;
  if (*std::max_element(known.begin(), known.end()) > 3) {
    std::fprintf(stderr, "client_load: there are nodes 1, 2 and 3\n");
    return 2;
  }
  // First, while this process has no other thread: it forks.
  const scratch own;
  const auto floor = measure_floor({.outstanding = outstanding,
                                    .length = length / 2,
                                    .bytes = bytes,
                                    .preallocated = true,
                                    .directory = own.path()});
  if (floor.empty()) {
    std::fprintf(stderr, "client_load: the floor could not be measured\n");
    return 1;
  }
  std::vector<std::vector<std::string>> rows{{"system", "outstanding", "commands/s", "p50 ms", "p99 ms",
                                              "p50 by floor's", "CPU s per 10,000, servers", "client",
                                              "RSS MiB", "errors"}};
  for (const auto& system : systems) {
    quorate_subject cluster{{.system = system}};
    if (!cluster.start()) {
      std::fprintf(stderr, "%s does not start\n%s\n", system.c_str(), cluster.report().c_str());
      return 1;
    }
    quorate::client_options options{.cluster = "processes", .nodes = {}, .limits = {}};
    for (const auto n : known)
      options.nodes.push_back({"127.0.0.1", cluster.cluster().peer_port(n)});
    quorate::client client{options};
    for (std::size_t i = 0; i < outstanding.size(); ++i) {
      const auto r = measure(cluster, client, outstanding[i], bytes, length);
      std::printf("%s, %zu outstanding: %s, errors %llu\n", system.c_str(), outstanding[i],
                  text(r.commands).c_str(), static_cast<unsigned long long>(r.errors));
      std::fflush(stdout);
      if (r.commands.count == 0) {
        std::fprintf(stderr, "%s answers nothing\n%s\n", system.c_str(), cluster.report().c_str());
        return 1;
      }
      rows.push_back({system, std::to_string(outstanding[i]), number(r.commands.per_second),
                      number(in_ms(r.commands.p50), 3), number(in_ms(r.commands.p99), 3),
                      number(in_ms(r.commands.p50) / in_ms(floor[i].p50), 2), number(r.cpu_servers, 3),
                      number(r.cpu_client, 3), number(r.rss_mib), std::to_string(r.errors)});
    }
  }
  for (std::size_t i = 0; i < outstanding.size(); ++i)
    rows.push_back({"the floor", std::to_string(outstanding[i]), number(floor[i].per_second),
                    number(in_ms(floor[i].p50), 3), number(in_ms(floor[i].p99), 3), "1.00", "", "", "", ""});
  const auto page = "Durable commands of " + std::to_string(bytes) +
                    " bytes through the C++ client: three server processes, one client process.\n\n" +
                    table(rows);
  std::printf("\n%s", page.c_str());
  return write_file(output + "/client.md", page) ? 0 : 1;
}
