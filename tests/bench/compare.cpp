// compare: durable writes of three-node clusters, ours and etcd's, one after the other on this machine,
// beside what the machine can do at best.
//
//   compare --systems=paxos,etcd --clients=1,16,64,256 --seconds=8 --bytes=100 --rounds=1 --output=DIR
//   [--smoke]
//
// Clients are spread over all nodes; each has one write in flight over HTTP. Writes compare.md and
// compare.svg.

#include "tests/bench/parts/floor.hpp"
#include "tests/bench/parts/picture.hpp"
#include "tests/bench/parts/scratch.hpp"
#include "tests/bench/parts/subject.hpp"
#include "tests/bench/parts/words.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace {

using namespace quorate::bench;
using std::chrono::milliseconds;

struct plan {
  std::vector<std::string> systems;
  std::vector<std::size_t> clients;
  milliseconds length{};
  milliseconds warm_up{};
  std::size_t bytes = 100;
  std::size_t rounds = 1;
};

struct result {
  speed writes;
  double cpu_seconds = 0;  ///< of all processes, per 10,000 writes
  double rss_mib = 0;      ///< of all processes, at the end
  std::uint64_t errors = 0;
};
using results = std::map<std::string, std::map<std::size_t, std::vector<result>>>;

result measure(subject& cluster, std::size_t clients, const plan& p) {
  http_load load{cluster.load(clients, p.bytes)};
  std::this_thread::sleep_for(p.warm_up);
  const auto before = cluster.used();
  const auto from = steady::now();
  std::this_thread::sleep_for(p.length);
  const auto after = cluster.used();
  const auto to = steady::now();
  const auto seen = load.stop();
  result r;
  r.writes = seen.between(from, to);
  r.rss_mib = after.rss_mib;
  if (r.writes.count > 0)
    r.cpu_seconds = (after.cpu_seconds - before.cpu_seconds) * 1e4 / static_cast<double>(r.writes.count);
  for (const auto& [status, count] : seen.errors)
    r.errors += count;
  return r;
}

bool measure(const std::string& system, const plan& p, results& all) {
  const auto cluster = make_subject({.system = system});
  if (!cluster->start()) {
    std::fprintf(stderr, "%s does not start\n%s\n", system.c_str(), cluster->report().c_str());
    return false;
  }
  for (const auto clients : p.clients) {
    const auto r = measure(*cluster, clients, p);
    std::printf("%s, %zu clients: %s, CPU %.2f s per 10,000, RSS %.0f MiB, errors %llu\n", system.c_str(),
                clients, text(r.writes).c_str(), r.cpu_seconds, r.rss_mib,
                static_cast<unsigned long long>(r.errors));
    std::fflush(stdout);
    all[system][clients].push_back(r);
    if (r.writes.count == 0) {
      std::fprintf(stderr, "%s acknowledges nothing\n%s\n", system.c_str(), cluster->report().c_str());
      return false;
    }
  }
  return true;
}

/// The round with the middle throughput.
const result& middle(std::vector<result>& rounds) {
  std::sort(rounds.begin(), rounds.end(),
            [](const auto& a, const auto& b) { return a.writes.per_second < b.writes.per_second; });
  return rounds[rounds.size() / 2];
}

std::string written(const plan& p, results& all, const std::vector<speed>& floor) {
  std::vector<std::vector<std::string>> rows{{"system", "clients", "writes/s", "p50 ms", "p99 ms",
                                              "CPU s per 10,000", "RSS MiB", "of etcd", "floor is faster by",
                                              "errors"}};
  for (const auto& system : p.systems)
    for (std::size_t i = 0; i < p.clients.size(); ++i) {
      const auto clients = p.clients[i];
      const auto& r = middle(all[system][clients]);
      const auto ratio = [&](double a, double b) { return b > 0 ? number(a / b, 2) : ""; };
      const auto etcd = all.contains("etcd") ? middle(all["etcd"][clients]).writes.per_second : 0;
      rows.push_back({system, std::to_string(clients), number(r.writes.per_second),
                      number(in_ms(r.writes.p50), 2), number(in_ms(r.writes.p99), 2),
                      number(r.cpu_seconds, 2), number(r.rss_mib), ratio(r.writes.per_second, etcd),
                      ratio(floor[i].per_second, r.writes.per_second), std::to_string(r.errors)});
    }
  for (std::size_t i = 0; i < p.clients.size(); ++i)
    rows.push_back({"the floor", std::to_string(p.clients[i]), number(floor[i].per_second),
                    number(in_ms(floor[i].p50), 2), number(in_ms(floor[i].p99), 2), "", "", "", "", ""});
  return "Durable writes of " + std::to_string(p.bytes) + " bytes over HTTP, spread over all three nodes, " +
         number(in_ms(p.length) / 1'000) + " s each, the middle of " + std::to_string(p.rounds) +
         " round(s). CPU and RSS are those of the three processes together. The floor echoes batches through "
         "a "
         "quorum with one append and fdatasync each, and does nothing else.\n\n" +
         table(rows);
}

std::string drawn(const plan& p, results& all) {
  picture out;
  out.title = "Durable writes of " + std::to_string(p.bytes) + " bytes, three nodes on one machine";
  out.x = "clients, each with one write in flight";
  out.y = "writes/s";
  out.x_doubles = p.clients.size() > 1;
  for (const auto& system : p.systems) {
    curve c{system, {}};
    for (const auto clients : p.clients)
      c.points.emplace_back(static_cast<double>(clients), middle(all[system][clients]).writes.per_second);
    out.curves.push_back(std::move(c));
  }
  return svg(out);
}

}  // namespace

int main(int argc, char** argv) {
  command_words given{"compare", argc, argv};
  const auto smoke = given.flag("--smoke");
  plan p;
  p.systems = given.words("--systems", all_systems());
  p.clients = given.numbers("--clients", smoke ? std::vector<std::size_t>{1, 16}
                                               : std::vector<std::size_t>{1, 16, 64, 256});
  p.length = milliseconds{1'000 * given.number("--seconds", smoke ? 1 : 8)};
  p.warm_up = milliseconds{smoke ? 200 : 1'500};
  p.bytes = given.number("--bytes", p.bytes);
  p.rounds = given.number("--rounds", p.rounds);
  const auto output = given.word("--output", ".");
  if (!given.understood() || !known_systems(p.systems))
    return 2;

  // First, while this process has no other thread: it forks.
  const scratch own;
  const auto floor = measure_floor({.outstanding = p.clients,
                                    .length = p.length / 2,
                                    .bytes = p.bytes,
                                    .preallocated = true,
                                    .directory = own.path()});
  if (floor.empty()) {
    std::fprintf(stderr, "compare: the floor could not be measured\n");
    return 1;
  }
  results all;
  for (std::size_t round = 0; round < p.rounds; ++round)
    for (const auto& system : p.systems)
      if (!measure(system, p, all))
        return 1;
  const auto page = written(p, all, floor);
  std::printf("\n%s", page.c_str());
  return write_file(output + "/compare.md", page) && write_file(output + "/compare.svg", drawn(p, all)) ? 0
                                                                                                        : 1;
}
