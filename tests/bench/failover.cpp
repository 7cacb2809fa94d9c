// failover: what the clients of two nodes notice when something happens to the third one, of ours and of
// etcd.
//
//   failover --systems=paxos,etcd --disturbances=kill,freeze,cut,slow_cpu,slow_disk --runs=10 --clients=8
//   --bytes=100 --freeze-seconds=10 --memory-minutes=10 --output=DIR [--smoke]
//
// Three processes in network namespaces of their own, `clients` clients on each. Ours: each node is the
// victim in turn. etcd: its leader is. Each run is compared with an undisturbed one of the same length before
// it. With
// --memory-minutes only this: full load while one node is frozen. Writes failover.md and failover.svg.

#include "tests/bench/parts/disturbance.hpp"
#include "tests/bench/parts/endurance.hpp"
#include "tests/bench/parts/picture.hpp"
#include "tests/bench/parts/scratch.hpp"
#include "tests/bench/parts/words.hpp"

#include <algorithm>
#include <cstdio>

namespace {

using namespace quorate::bench;
using quorate::testing::private_network;
using std::chrono::milliseconds;

struct plan {
  std::vector<std::string> systems;
  std::vector<disturbance> what;
  bool smoke = false;
  std::size_t runs = 10;
  std::size_t clients = 8;  ///< on each node
  std::size_t bytes = 100;
  milliseconds lead{2'000};    ///< before it happens
  milliseconds settle{1'000};  ///< after it, before throughput is measured
  milliseconds away{5'000};    ///< how long it lasts
  milliseconds frozen{10'000};
  milliseconds tail{2'000};  ///< after it is over
  /// Before a cluster of two is measured: a young one does not shorten its log yet.
  milliseconds grow_up{20'000};

  [[nodiscard]] milliseconds lasts(disturbance d) const { return d == disturbance::freeze ? frozen : away; }
};

/// A cluster with what it runs in.
struct surroundings {
  const plan& settings;
  private_network* network;  ///< null: loopback
  const scratch own;

  [[nodiscard]] std::string control(std::size_t n) const { return own.path() / ("slow" + std::to_string(n)); }
  [[nodiscard]] std::unique_ptr<subject> make(const std::string& system, std::size_t nodes,
                                              bool slowable) const {
    subject_plan p{.system = system, .nodes = nodes};
    p.places.resize(nodes);
    for (std::size_t n = 1; n <= nodes; ++n) {
      auto& place = p.places[n - 1];
      if (network != nullptr) {
        place.host = network->host(n);
        place.surroundings.network = network->descriptor(n);
      }
      if (slowable)
        make_slowable(place, control(n));
    }
    return make_subject(p);
  }
};

struct run {
  std::size_t victim = 0;
  nanoseconds quiet_gap{};  ///< the longest time without an acknowledgement of either other node, undisturbed
  nanoseconds gap{};
  nanoseconds gap_of_both{};  ///< the longest time without an acknowledgement of any of them
  double per_second = 0;      ///< of the other two, after `settle` and while it lasts
  nanoseconds quiet_p50{};
  nanoseconds p50{};
  load_results seen;  ///< for the picture
  steady::time_point happened;
};

nanoseconds longest_gap(const load_results& seen, const std::vector<std::uint32_t>& nodes,
                        milliseconds skip) {
  nanoseconds longest{};
  for (const auto node : nodes)
    longest = std::max(longest, seen.longest_gap({node}, seen.start + skip, seen.end));
  return longest;
}

/// The victim is back and has executed what the others have.
bool whole_again(subject& cluster) {
  if (!cluster.start())
    return false;
  const auto deadline = steady::now() + std::chrono::seconds{30};
  for (;;) {
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (std::size_t n = 1; n <= cluster.size(); ++n) {
      const auto applied = cluster.applied(n).value_or(0);
      least = std::min(least, applied);
      most = std::max(most, applied);
    }
    if (least > 0 && most - least < 100)
      return true;
    if (steady::now() > deadline)
      return false;
    std::this_thread::sleep_for(milliseconds{100});
  }
}

run measure(const surroundings& around, subject& cluster, disturbance what, std::size_t victim) {
  const auto& p = around.settings;
  run r;
  r.victim = victim;
  std::vector<std::uint32_t> others;
  for (std::uint32_t node = 0; node < cluster.size(); ++node)
    if (node + 1 != victim)
      others.push_back(node);
  const auto load = cluster.load(p.clients * cluster.size(), p.bytes);
  const auto length = p.lead + p.lasts(what) + (what == disturbance::kill ? milliseconds{0} : p.tail);
  const auto skip = p.lead / 4;  // connections are made, caches are cold
  const auto quiet = run_load(load, length);
  r.quiet_gap = longest_gap(quiet, others, skip);
  r.quiet_p50 = quiet.between(quiet.start + skip, quiet.end, others).p50;

  http_load disturbed{load};
  std::this_thread::sleep_for(p.lead);
  {
    r.happened = steady::now();
    const disturber d{cluster, around.network, what, victim, around.control(victim)};
    std::this_thread::sleep_for(p.lasts(what));
  }
  const auto over = steady::now();
  if (what != disturbance::kill)
    std::this_thread::sleep_for(p.tail);
  r.seen = disturbed.stop(milliseconds{1'000});
  r.gap = longest_gap(r.seen, others, skip);
  r.gap_of_both = r.seen.longest_gap(others, r.seen.start + skip, r.seen.end);
  r.per_second = r.seen.between(r.happened + p.settle, over, others).per_second;
  r.p50 = r.seen.between(r.happened, over, others).p50;
  return r;
}

/// Everything that was measured of one system under one kind of disturbance.
struct series {
  std::string system;
  disturbance what;
  std::vector<run> runs;
  double healthy_two = 0;  ///< writes/s of a cluster of two nodes with as many clients on each
};

/// Nothing where the cluster does not start or does not come back.
bool measure(const surroundings& around, series& all) {
  const auto& p = around.settings;
  const auto cluster = around.make(all.system, 3, all.what == disturbance::slow_disk);
  auto good = cluster->start();
  for (std::size_t i = 0; good && i < p.runs; ++i) {
    const auto leader = cluster->leader();
    auto r = measure(around, *cluster, all.what, leader > 0 ? leader : i % cluster->size() + 1);
    const auto name = std::string{to_string(all.what)};
    if (all.what == disturbance::slow_cpu || all.what == disturbance::slow_disk)
      std::printf("%s, %s n%zu, run %zu: p50 of the others %.2f ms, undisturbed %.2f ms\n",
                  all.system.c_str(), name.c_str(), r.victim, i + 1, in_ms(r.p50), in_ms(r.quiet_p50));
    else
      std::printf("%s, %s n%zu, run %zu: longest gap %.0f ms, undisturbed %.0f ms; afterwards %.0f/s, of two "
                  "%.0f/s\n",
                  all.system.c_str(), name.c_str(), r.victim, i + 1, in_ms(r.gap), in_ms(r.quiet_gap),
                  r.per_second, all.healthy_two);
    std::fflush(stdout);
    if (i > 0)
      r.seen.acknowledged = {};
    all.runs.push_back(std::move(r));
    good = whole_again(*cluster);
  }
  if (!good)
    std::fprintf(stderr, "%s does not start or does not come back\n%s\n", all.system.c_str(),
                 cluster->report().c_str());
  return good;
}

std::optional<double> measure_two(const surroundings& around, const std::string& system) {
  const auto cluster = around.make(system, 2, false);
  if (!cluster->start())
    return std::nullopt;
  const auto& p = around.settings;
  const auto seen = run_load(cluster->load(2 * p.clients, p.bytes), p.grow_up + p.away);
  return seen.between(seen.start + p.grow_up, seen.end).per_second;
}

std::string written(const plan& p, const std::vector<series>& all) {
  std::vector<std::vector<std::string>> runs{{"system", "what", "victim", "gap ms", "of both ms",
                                              "undisturbed ms", "more ms", "afterwards/s",
                                              "of a cluster of two", "p50 ms", "undisturbed p50 ms"}};
  std::vector<std::vector<std::string>> summary{
      {"system", "what", "runs", "gap more ms, worst", "middle", "gap of both ms, worst",
       "afterwards of a cluster of two, worst", "p50 by, worst", "middle"}};
  for (const auto& s : all) {
    std::vector<double> more;
    std::vector<double> both;
    std::vector<double> part;
    std::vector<double> slower;
    for (const auto& r : s.runs) {
      more.push_back(in_ms(r.gap - r.quiet_gap));
      both.push_back(in_ms(r.gap_of_both));
      part.push_back(s.healthy_two > 0 ? r.per_second / s.healthy_two : 0);
      slower.push_back(in_ms(r.p50) / std::max(in_ms(r.quiet_p50), 0.001));
      runs.push_back({s.system, std::string{to_string(s.what)}, "n" + std::to_string(r.victim),
                      number(in_ms(r.gap)), number(in_ms(r.gap_of_both)), number(in_ms(r.quiet_gap)),
                      number(more.back()), number(r.per_second), number(100 * part.back()) + " %",
                      number(in_ms(r.p50), 2), number(in_ms(r.quiet_p50), 2)});
    }
    if (s.runs.empty())
      continue;
    summary.push_back({s.system, std::string{to_string(s.what)}, std::to_string(s.runs.size()),
                       number(*std::max_element(more.begin(), more.end())), number(median(more)),
                       number(*std::max_element(both.begin(), both.end())),
                       number(100 * *std::min_element(part.begin(), part.end())) + " %",
                       number(*std::max_element(slower.begin(), slower.end()), 2),
                       number(median(slower), 2)});
  }
  return "Three processes, " + std::to_string(p.clients) + " clients on each, writes of " +
         std::to_string(p.bytes) +
         " bytes over HTTP. Gap: the longest time in which one of the two other nodes acknowledged "
         "nothing; of both: in which neither did. The victim of ours is each node in turn, of etcd its "
         "leader. The cluster of two is measured when it is old enough to shorten its log.\n\n" +
         table(summary) + "\nAll runs:\n\n" + table(runs);
}

/// Acknowledgements of the two others around the first kill (or whatever was done first).
std::string drawn(const plan& p, const std::vector<series>& all) {
  constexpr milliseconds bin{25};
  picture out;
  const auto what = p.what.front();
  out.title = "Acknowledged writes of the two other nodes around: " + std::string{to_string(what)};
  out.x = "seconds";
  out.y = "writes/s";
  out.marks = {{0, std::string{to_string(what)}}};
  for (const auto& s : all) {
    if (s.what != what || s.runs.empty())
      continue;
    const auto& r = s.runs.front();
    curve c{s.system, {}};
    const auto end = r.happened + std::min(p.lasts(what), milliseconds{4'000});
    for (auto at = r.happened - std::min(p.lead / 2, milliseconds{1'000}); at < end; at += bin) {
      const auto count =
          std::count_if(r.seen.acknowledged.begin(), r.seen.acknowledged.end(), [&](const auto& a) {
            return a.node + 1 != r.victim && a.at >= at && a.at < at + bin;
          });
      c.points.emplace_back(in_ms(at - r.happened) / 1'000, static_cast<double>(count) * 1'000 / in_ms(bin));
    }
    out.curves.push_back(std::move(c));
  }
  return svg(out);
}

bool measure_memory(const surroundings& around, const endurance_plan& e, const std::string& output) {
  std::vector<std::vector<std::string>> rows{
      {"system", "frozen s", "writes/s", "RSS before MiB", "highest MiB", "more MiB", "caught up after s"}};
  for (const auto& system : around.settings.systems) {
    const auto cluster = around.make(system, 3, false);
    if (!cluster->start()) {
      std::fprintf(stderr, "%s does not start\n%s\n", system.c_str(), cluster->report().c_str());
      return false;
    }
    const auto r = endure(*cluster, e);
    rows.push_back({system, number(in_ms(e.frozen) / 1'000), number(r.per_second), number(r.rss_before_mib),
                    number(r.rss_highest_mib), number(r.rss_highest_mib - r.rss_before_mib),
                    r.caught_up ? number(in_ms(r.catch_up) / 1'000, 1) : "never"});
  }
  const auto page =
      "Full load (" + std::to_string(e.clients_per_node) +
      " clients on each node) while one node is frozen; RSS of the other node that grew most.\n\n" +
      table(rows);
  std::printf("\n%s", page.c_str());
  return write_file(output + "/memory.md", page);
}

int measure(const surroundings& around, const std::string& output) {
  const auto& p = around.settings;
  std::vector<series> all;
  for (const auto& system : p.systems) {
    const auto two = measure_two(around, system);
    if (!two) {
      std::fprintf(stderr, "failover: two nodes of %s do not start\n", system.c_str());
      return 1;
    }
    for (const auto what : p.what) {
      // Its syncs cannot be reached; and its pauses are long for a smoke run.
      if (system == "etcd" && (what == disturbance::slow_disk || (p.smoke && what != p.what.front())))
        continue;
      all.push_back({system, what, {}, *two});
      if (!measure(around, all.back()))
        return 1;
    }
  }
  const auto page = written(p, all);
  std::printf("\n%s", page.c_str());
  return write_file(output + "/failover.md", page) && write_file(output + "/failover.svg", drawn(p, all)) ? 0
                                                                                                          : 1;
}

}  // namespace

int main(int argc, char** argv) {
  command_words given{"failover", argc, argv};
  const auto smoke = given.flag("--smoke");
  plan p;
  p.smoke = smoke;
  p.systems = given.words("--systems", all_systems());
  const auto names = given.words(
      "--disturbances", smoke ? std::vector<std::string>{"kill", "freeze", "cut"}
                              : std::vector<std::string>{"kill", "freeze", "cut", "slow_cpu", "slow_disk"});
  p.runs = given.number("--runs", smoke ? 1 : p.runs);
  p.clients = given.number("--clients", smoke ? 2 : p.clients);
  p.bytes = given.number("--bytes", p.bytes);
  p.frozen = milliseconds{1'000 * given.number("--freeze-seconds", smoke ? 1 : 10)};
  if (smoke) {
    p.lead = milliseconds{500};
    p.settle = milliseconds{200};
    p.away = milliseconds{800};
    p.tail = milliseconds{300};
    p.grow_up = milliseconds{500};
  }
  endurance_plan memory;
  const auto minutes = given.number("--memory-minutes", 0);
  memory.frozen = smoke ? milliseconds{2'000} : std::chrono::minutes{minutes};
  memory.warm_up = smoke ? milliseconds{1'000} : memory.warm_up;
  memory.clients_per_node = smoke ? 8 : memory.clients_per_node;
  const auto output = given.word("--output", ".");
  if (!given.understood() || !known_systems(p.systems))
    return 2;
  for (const auto& name : names) {
    const auto what = disturbance_named(name);
    if (!what) {
      std::fprintf(stderr, "failover: there is no disturbance \"%s\"\n", name.c_str());
      return 2;
    }
    p.what.push_back(*what);
  }

  // Before any thread and any process starts.
  const auto alone = quorate::testing::enter_private_world();
  std::optional<private_network> network;
  if (alone.empty())
    network.emplace(3);
  if (!network || !network->trouble().empty()) {
    std::printf("failover: no links are cut here: %s\n",
                network ? network->trouble().c_str() : alone.c_str());
    network.reset();
    std::erase(p.what, disturbance::cut);
  }
  const surroundings around{p, network ? &*network : nullptr, {}};
  if (minutes > 0)
    return measure_memory(around, memory, output) ? 0 : 1;
  return measure(around, output);
}
