#include "tests/harness/scenario.hpp"

#include "actors/limits.hpp"
#include "balancers/registry.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>

namespace quorate::testing {

namespace {

struct fault_shape {
  fault_kind kind;
  std::string_view name;
  double share;             ///< percent of the seeds that have it at all
  std::uint64_t lasts_max;  ///< milliseconds
  std::uint64_t amount_max;

  [[nodiscard]] constexpr bool needs_two() const {
    return kind == fault_kind::split || kind == fault_kind::one_way || kind == fault_kind::slow_link;
  }
};

constexpr fault_shape shapes[] = {
    {fault_kind::crash, "crash", 60, 2000, 0},
    {fault_kind::cut_off, "cut_off", 35, 2500, 0},
    {fault_kind::deaf, "deaf", 25, 600, 0},
    {fault_kind::mute, "mute", 25, 600, 0},
    {fault_kind::split, "split", 35, 1000, 0},
    {fault_kind::flapping, "flapping", 20, 800, 0},
    {fault_kind::freeze, "freeze", 30, 3000, 0},
    {fault_kind::slow, "slow", 25, 1000, 100},
    {fault_kind::clock, "clock", 20, 0, 3000},
    {fault_kind::slow_disk, "slow_disk", 25, 800, 200},
    {fault_kind::bad_disk, "bad_disk", 20, 500, 0},
    {fault_kind::wipe, "wipe", 8, 300, 0},
    {fault_kind::full_disk, "full_disk", 20, 1000, 0},
    // `amount` is all or nothing here, see draw_amount.
    {fault_kind::blackout, "blackout", 20, 600, 100},
    // Together with the drift below what a client grants beyond its deadlines, also where there are several.
    {fault_kind::clock_back, "clock_back", 15, 0, 150},
    {fault_kind::flood, "flood", 12, 0, 100},
    {fault_kind::one_way, "one_way", 25, 1500, 0},
    {fault_kind::slow_link, "slow_link", 20, 1000, 60},
    // Drawn apart, so that seeds keep what they stood for.
    {fault_kind::low_disk, "low_disk", 0, 1500, 0},
};

duration milliseconds(std::uint64_t n) {
  return std::chrono::milliseconds(n);
}
duration microseconds(std::uint64_t n) {
  return std::chrono::microseconds(n);
}

std::vector<node_id> some_nodes(prng& random, std::size_t members, std::size_t count) {
  std::vector<node_id> all;
  for (std::uint32_t i = 1; i <= members; ++i)
    all.emplace_back(i);
  for (std::size_t i = 0; i < count; ++i)
    std::swap(all[i], all[i + random.below(members - i)]);
  all.resize(count);
  return all;
}

std::size_t how_many(prng& random, const fault_shape& shape, std::size_t members) {
  switch (shape.kind) {
  case fault_kind::crash:
    // All at once is a case of its own, not just an unlikely draw.
    return random.chance(15) ? members : random.chance(70) ? 1 : random.between(1, members);
  case fault_kind::split:
    return random.between(1, members - 1);
  case fault_kind::blackout:
  case fault_kind::flood:
    return members;
  case fault_kind::one_way:
    return 2;
  case fault_kind::slow_link:
    return random.chance(50) ? 1 : 2;
  default:
    return 1;
  }
}

std::uint64_t draw_amount(prng& random, const fault_shape& shape) {
  if (shape.kind == fault_kind::blackout)
    return random.chance(50) ? 0 : shape.amount_max;
  return shape.amount_max == 0 ? 0 : random.between(1, shape.amount_max);
}

/// One member misses so much that the others have cut their logs by the time it is back. It comes back while
/// they go on cutting.
void draw_laggard(scenario& s, prng& random) {
  s.log.entries_max = random.between(1, 4);
  s.timings.flush_every = milliseconds(random.between(20, 200));
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 60);
  s.clients.think_max = std::min(s.clients.think_max, milliseconds(20));
  const auto span = static_cast<std::uint64_t>(s.faults_for.count());
  const auto from = span / 5 + random.below(span / 5);
  const auto lasts = random.between(span / 4, span / 2);
  s.faults.push_back({time_point{static_cast<std::int64_t>(from)}, duration{static_cast<std::int64_t>(lasts)},
                      random.chance(50) ? fault_kind::crash : fault_kind::cut_off,
                      some_nodes(random, s.members, 1), 0});
}

void draw_faults(scenario& s, prng& random) {
  const auto rounds = random.between(1, 4);
  const auto end = static_cast<std::uint64_t>(s.faults_for.count());
  // A majority must be left of what founded the cluster.
  auto wipes_left = s.members - majority{s.members}.size();
  for (const auto& shape : shapes) {
    if (shape.share == 0 || !random.chance(shape.share) || (shape.needs_two() && s.members < 2))
      continue;
    const auto count = shape.kind == fault_kind::wipe ? random.between(1, 2) : random.between(1, rounds);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (shape.kind == fault_kind::wipe && wipes_left-- == 0)
        break;
      fault f;
      f.kind = shape.kind;
      f.at = time_point{static_cast<std::int64_t>(random.below(end))};
      f.lasts = milliseconds(random.between(5, std::max<std::uint64_t>(6, shape.lasts_max)));
      f.nodes = some_nodes(random, s.members, how_many(random, shape, s.members));
      f.amount = draw_amount(random, shape);
      s.faults.push_back(std::move(f));
    }
  }
  // A storm: somebody is always just coming back.
  for (auto left = random.chance(12) ? random.between(5, 25) : 0; left > 0; --left)
    s.faults.push_back({time_point{static_cast<std::int64_t>(random.below(end))},
                        milliseconds(random.between(1, 60)), fault_kind::crash,
                        some_nodes(random, s.members, 1), 0});
  if (s.members > 2 && random.chance(50))
    draw_laggard(s, random);
  if (random.chance(0.3)) {
    // More than one batch can take, at once.
    s.edge.requests_max = 2 * limits::batch_commands_max;
    s.faults.push_back({time_point{static_cast<std::int64_t>(random.below(end))}, duration{},
                        fault_kind::flood, some_nodes(random, s.members, 1),
                        limits::batch_commands_max + 100});
  }
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
}

/// Some disks run low, one after the other, so that now fewer than a majority has room and now more.
void draw_low_disks(scenario& s) {
  prng random{s.seed * 31 + s.members + 7'001};
  if (!random.chance(8))
    return;
  const auto end = static_cast<std::uint64_t>(s.faults_for.count());
  for (auto left = random.between(1, 2 * s.members); left > 0; --left)
    s.faults.push_back({time_point{static_cast<std::int64_t>(random.below(end))},
                        milliseconds(random.between(50, 1500)), fault_kind::low_disk,
                        some_nodes(random, s.members, 1), 0});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
}

void draw_network(network_conditions& n, prng& random) {
  if (random.chance(40))
    n.loss = static_cast<double>(random.between(1, random.chance(20) ? 40 : 10));
  if (random.chance(30))
    n.duplication = static_cast<double>(random.between(1, 20));
  if (random.chance(40))
    n.stray = static_cast<double>(random.between(1, 10));
  n.reorder = random.chance(70);
  n.uneven = random.chance(25);
  n.delay_min = microseconds(random.between(20, 200));
  n.delay_max = n.delay_min + microseconds(random.between(0, random.chance(25) ? 10'000 : 1'000));
  n.stray_max = milliseconds(random.between(1, 500));
}

void draw_clients(client_plan& c, prng& random) {
  c.operations_max = random.chance(35) ? random.between(50, 150) : random.between(5, 40);
  c.burst = random.chance(30) ? random.between(2, 16) : 1;
  c.window = c.burst + (random.chance(30) ? random.between(4, 32) : random.between(0, 2));
  c.think_max = random.chance(20) ? milliseconds(0) : milliseconds(random.between(1, 100));
  c.timeout_min = milliseconds(random.between(10, 200));
  c.timeout_max = c.timeout_min + milliseconds(random.between(0, 2000));
  c.reads = static_cast<double>(random.between(0, 40));
  c.local_reads = static_cast<double>(random.between(0, 15));
  c.value_bytes_max = random.chance(10) ? 4000 : random.between(0, 100);
  if (random.chance(1)) {
    // Batches, parts of the log and snapshots of more than one chunk; commands as large as they may be.
    const auto largest = random.chance(30);
    c.value_bytes_max = largest ? limits::command_bytes_max - limits::key_bytes_max : 100'000;
    c.operations_max = largest ? 8 : 20;
  }
}

}  // namespace

std::string_view to_string(fault_kind kind) {
  for (const auto& shape : shapes)
    if (shape.kind == kind)
      return shape.name;
  return "unknown";
}

std::size_t scenario::members_of(std::uint64_t seed) {
  constexpr std::size_t sizes[] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 1, 2, 4, 6, 7};
  return sizes[prng{seed * 31}.below(std::size(sizes))];
}

scenario scenario::from_seed(std::uint64_t seed, std::size_t members, std::string_view protocol) {
  prng random{seed * 31 + members};
  scenario s;
  s.seed = seed;
  s.members = members;
  s.faults_for = milliseconds(random.between(500, random.chance(15) ? 6000 : 2500));
  draw_network(s.network, random);
  s.sync_min = microseconds(random.between(10, 300));
  s.sync_max = s.sync_min + microseconds(random.between(0, random.chance(20) ? 20'000 : 2'000));
  s.clock_drift = random.chance(30) ? static_cast<double>(random.between(1, 10)) : 0;
  draw_clients(s.clients, random);
  if (random.chance(20))
    s.machine = "key_value";
  s.timings.flush_every = milliseconds(random.between(20, 2000));
  if (random.chance(50)) {
    // Small enough that logs are cut and those who lag need a snapshot.
    s.log.entries_max = random.between(1, random.chance(70) ? 6 : 30);
    s.log.bytes_max = random.chance(30) ? random.between(200, 4000) : s.log.bytes_max;
  }
  if (random.chance(15))
    s.edge.requests_max = random.between(1, 8);
  s.answer_within = milliseconds(500) + 50 * (s.network.delay_max + s.sync_max);
  draw_faults(s, random);
  if (random.chance(20)) {
    // So small that clients meet the window's edge, and that those who come back push out the longest unused.
    s.sessions.window = random.between(2, 40);
    s.sessions.open_max = members + random.between(0, 4);
  }
  if (random.chance(50))
    s.options = draw_options(protocol, random);
  if (random.chance(60)) {
    const auto policies = all_balancers();
    s.balancer = policies[random.below(policies.size())].name;
  }
  // From numbers of their own: what is drawn above stays what it was.
  prng tight{seed * 31 + members + (std::uint64_t{1} << 40)};
  if (tight.chance(35))
    s.memory = draw_limits(protocol, tight);
  if (tight.chance(15))
    s.local_max = microseconds(tight.between(20, 3'000));
  s.answer_within += 50 * s.local_max;
  draw_low_disks(s);
  return s;
}

std::string text(const fault& f) {
  std::string out{to_string(f.kind)};
  for (const auto n : f.nodes)
    out += " " + quorate::text(n);
  out += " at " + std::to_string(f.at.count() / 1000) + "us for " + std::to_string(f.lasts.count() / 1000) +
         "us";
  if (f.amount > 0)
    out += " amount " + std::to_string(f.amount);
  return out;
}

std::string text(const scenario& s) {
  auto out = "seed " + std::to_string(s.seed) + ", " + std::to_string(s.members) + " members, faults for " +
             std::to_string(s.faults_for.count() / 1'000'000) + "ms\n";
  out += "network loss " + std::to_string(s.network.loss) + "% duplication " +
         std::to_string(s.network.duplication) + "% stray " + std::to_string(s.network.stray) + "% up to " +
         std::to_string(s.network.stray_max.count() / 1000) + "us, delay " +
         std::to_string(s.network.delay_min.count() / 1000) + ".." +
         std::to_string(s.network.delay_max.count() / 1000) + "us" + (s.network.reorder ? ", reorders" : "") +
         (s.network.uneven ? ", uneven" : "") + "\n";
  out += "log entries " + std::to_string(s.log.entries_max) + " bytes " + std::to_string(s.log.bytes_max) +
         ", flush every " + std::to_string(s.timings.flush_every.count() / 1'000'000) + "ms, sync " +
         std::to_string(s.sync_min.count() / 1000) + ".." + std::to_string(s.sync_max.count() / 1000) +
         "us\n";
  out += s.machine + ", balancer " + s.balancer + ", clients " + std::to_string(s.clients.operations_max) +
         " operations, bursts of " + std::to_string(s.clients.burst) + ", window " +
         std::to_string(s.clients.window) + ", timeout " +
         std::to_string(s.clients.timeout_min.count() / 1'000'000) + ".." +
         std::to_string(s.clients.timeout_max.count() / 1'000'000) + "ms\n";
  for (const auto& [name, value] : s.options)
    out += name + " = " + value + "\n";
  for (const auto& [name, value] : s.memory.list())
    out += name + " is " + std::to_string(value) + "\n";
  for (const auto& f : s.faults)
    out += text(f) + "\n";
  return out;
}

}  // namespace quorate::testing
