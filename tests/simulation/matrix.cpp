#include "tests/simulation/matrix.hpp"

#include <algorithm>
#include <cstdio>

namespace quorate::testing {

namespace {

using namespace std::chrono_literals;

constexpr duration delay = 1ms;  // of every link
constexpr duration sync_takes = 500us;
constexpr duration every = 2ms;
constexpr time_point begin = strikes_at;
constexpr duration once_lasts = 1s;
constexpr duration lasts = 2500ms;
constexpr duration after = 500ms;  // is measured too

struct kind_of_fault {
  std::string_view name;
  fault_kind kind;
  std::uint64_t amount;
  duration down;  // of the slow rhythm
  duration up;
};

// The last member is the victim; of links between two, it and the first one.
constexpr kind_of_fault kinds[] = {
    {"cut off", fault_kind::cut_off, 0, 400ms, 60ms},
    {"deaf", fault_kind::deaf, 0, 400ms, 60ms},
    {"mute", fault_kind::mute, 0, 400ms, 60ms},
    {"flapping", fault_kind::flapping, 0, 300ms, 200ms},
    {"not heard by one", fault_kind::one_way, 0, 400ms, 60ms},
    {"does not hear one", fault_kind::one_way, 0, 400ms, 60ms},
    {"crash", fault_kind::crash, 0, 300ms, 250ms},
    {"freeze", fault_kind::freeze, 0, 300ms, 250ms},
    {"slow disk", fault_kind::slow_disk, 50, 300ms, 200ms},
    {"slow links", fault_kind::slow_link, 10, 300ms, 200ms},
    {"very slow links", fault_kind::slow_link, 60, 300ms, 200ms},
    {"slow link to one", fault_kind::slow_link, 20, 300ms, 200ms},
};

const kind_of_fault& find(std::string_view name) {
  return *std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& k) { return k.name == name; });
}

bool of_a_link(const square& s) {
  return s.fault.ends_with(" one");
}

/// Hurt by the fault itself. Of two members with a one-way cut between them it is the one that does not hear.
bool hurt(const square& s, std::size_t n) {
  if (s.fault == "not heard by one")
    return n == 1;
  return n == s.members || (s.fault == "slow link to one" && n == 1);
}

}  // namespace

std::string square::text() const {
  return std::to_string(members) + " members, " + std::string{fault} + " " + std::string{rhythm} +
         (active ? ", active" : ", idle");
}

void figures::add(const figures& other) {
  gap = std::max(gap, other.gap);
  p50 = std::max(p50, other.p50);
  p99 = std::max(p99, other.p99);
  refused += other.refused;
}

const std::vector<std::string_view>& matrix_faults() {
  static const auto all = [] {
    std::vector<std::string_view> out;
    for (const auto& k : kinds)
      out.push_back(k.name);
    return out;
  }();
  return all;
}

std::vector<std::string_view> rhythms_of(std::string_view fault) {
  if (fault == "flapping")
    return {"once", "steadily"};
  if (fault == "crash" || fault == "freeze")
    return {"once", "repeatedly", "fast"};
  return {"once", "steadily", "repeatedly", "fast"};
}

std::vector<square> matrix() {
  std::vector<square> out;
  for (const auto fault : matrix_faults())
    for (const auto rhythm : rhythms_of(fault))
      for (const std::size_t members : {3, 5})
        for (const auto active : {false, true})
          out.push_back({fault, rhythm, members, active});
  return out;
}

std::vector<square> short_matrix() {
  std::vector<square> out;
  for (const auto fault : matrix_faults()) {
    out.push_back({fault, "once", 3, true});
    out.push_back({fault, rhythms_of(fault).back(), 5, true});
  }
  return out;
}

std::vector<node_id> healthy(const square& s) {
  std::vector<node_id> out;
  for (std::uint32_t i = 1; i <= s.members; ++i)
    if (!hurt(s, i) && (s.active || i < s.members))
      out.emplace_back(i);
  return out;
}

scenario scenario_of(const square& what, std::uint64_t seed) {
  scenario s;
  s.seed = seed;
  s.members = what.members;
  s.faults_for = begin + lasts + after;
  s.network.delay_min = s.network.delay_max = delay;
  s.network.reorder = false;
  s.sync_min = s.sync_max = sync_takes;
  s.clients.operations_max = 0;
  s.clients.timeout_min = s.clients.timeout_max = 2s;
  prng random{seed};
  const node_id victim{static_cast<std::uint32_t>(what.members)};
  const auto& k = find(what.fault);
  std::vector<node_id> struck{victim};
  if (of_a_link(what))
    struck.insert(what.fault == "does not hear one" ? struck.begin() : struck.end(), node_id{1});
  const auto strike = [&](time_point at, duration how_long) {
    s.faults.push_back({at, how_long, k.kind, struck, k.amount});
  };
  if (what.rhythm == "once") {
    strike(begin, once_lasts);
  } else if (what.rhythm == "steadily") {
    strike(begin, lasts);
  } else {
    const auto fast = what.rhythm == "fast";
    const auto down = fast ? duration{60ms} : k.down;
    const auto up = fast ? duration{60ms} : k.up;
    for (auto at = begin; at < begin + lasts;) {
      strike(at, down);
      const auto wait = static_cast<std::uint64_t>(up.count());
      at += down + duration{random.between(wait * 6 / 10, wait * 14 / 10)};
    }
  }
  for (std::uint32_t n = 1; n <= what.members; ++n)
    if (what.active || node_id{n} != victim)
      for (auto at = begin - 400ms; at < begin + lasts + after;
           at += duration{random.between(every.count() / 2, every.count() * 3 / 2)})
        s.faults.push_back({at, duration{0}, fault_kind::flood, {node_id{n}}, 1});
  std::stable_sort(s.faults.begin(), s.faults.end(),
                   [](const fault& a, const fault& b) { return a.at < b.at; });
  return s;
}

figures measure(const square& what, const report& r) {
  figures worst;
  for (const auto n : healthy(what)) {
    std::vector<double> took;
    std::vector<time_point> answered{begin};
    figures mine;
    for (const auto& op : r.operations.list()) {
      if (op.at != n || op.invoked < begin || op.invoked > begin + lasts + after - 100ms)
        continue;
      if (op.fate() != fate::done) {
        ++mine.refused;
        continue;
      }
      answered.push_back(*op.returned);
      took.push_back(static_cast<double>((*op.returned - op.invoked).count()) / 1e6);
    }
    if (took.empty())
      took.push_back(1e6);
    std::sort(answered.begin(), answered.end());
    answered.push_back(std::max(answered.back(), begin + lasts + after - 100ms));
    for (std::size_t i = 1; i < answered.size(); ++i)
      mine.gap = std::max(mine.gap, static_cast<double>((answered[i] - answered[i - 1]).count()) / 1e6);
    std::sort(took.begin(), took.end());
    mine.p50 = took[took.size() / 2];
    mine.p99 = took[took.size() * 99 / 100];
    worst.add(mine);
  }
  return worst;
}

}  // namespace quorate::testing
