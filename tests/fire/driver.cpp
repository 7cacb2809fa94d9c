#include "tests/fire/driver.hpp"

#include "tests/harness/process/healing.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace quorate::testing {

namespace {

constexpr std::size_t strikes_per_round = 4;
constexpr std::uint64_t small_disk_mib = 1'024;
constexpr auto slice = std::chrono::milliseconds{20};
constexpr auto stop_takes = std::chrono::milliseconds{15'000};
constexpr auto heal_takes = std::chrono::milliseconds{60'000};
constexpr auto burst_lasts_at_most = std::chrono::seconds{4};
/// More than what the nodes keep of their logs.
constexpr std::uint64_t burst_appends = 60;
constexpr std::size_t burst_value_bytes = 50'000;

}  // namespace

fire::fire(const fire_options& options) : options_(options), plan_(options.seed, options.nodes) {
  if (options_.own_world) {
    network_ = std::make_unique<private_network>(options_.nodes);
    small_disk_ = std::make_unique<small_disk>(place_ / "disk", small_disk_mib);
    wrong_ += network_->trouble() + small_disk_->trouble();
  }
  if (wrong_.empty())
    cluster_ = std::make_unique<process_cluster>(surroundings());
}

cluster_plan fire::surroundings() {
  cluster_plan plan{.nodes = options_.nodes,
                    .more_spec = "  limits { log-entries = 1000, log-bytes = 1048576 }",
                    .protocol = options_.protocol};
  for (std::size_t n = 1; n <= options_.nodes; ++n) {
    node_place p;
    disks_.emplace_back(place_ / ("slow" + std::to_string(n)));
    p.surroundings.environment = disks_.back().environment();
    if (network_) {
      p.host = network_->host(n);
      p.surroundings.network = network_->descriptor(n);
    }
    if (small_disk_ && n == options_.nodes)
      p.data = small_disk_->where() / "data";
    plan.places.push_back(std::move(p));
  }
  return plan;
}

void fire::say(const std::string& line) const {
  const auto since = std::chrono::duration<double>(clock::now() - begin_).count();
  std::printf("%7.1f s  %s\n", since, line.c_str());
  std::fflush(stdout);
}

std::string fire::run(const std::atomic<bool>& interrupted) {
  if (!cluster_)
    return wrong_;
  interrupted_ = &interrupted;
  std::printf("fire: %zu nodes of %s, seed %llu, %lld s\n", options_.nodes, options_.protocol.c_str(),
              static_cast<unsigned long long>(options_.seed), static_cast<long long>(options_.lasts.count()));
  if (!cluster_->start())
    return "the cluster does not start\n";
  begin_ = clock::now();
  end_ = begin_ + options_.lasts;
  auto healed = true;
  while (healed && !over())
    healed = round();
  if (!healed)
    wrong_ += "the cluster does not heal\n";
  wrong_ += judge();
  print_summary();
  return wrong_;
}

bool fire::round() {
  auto ask = cluster_->client(1);
  const auto reply = ask.get("/log?limit=1");
  const auto page = reply && reply->status == 200 ? parse_log_page(reply->body) : std::nullopt;
  if (!page)
    return false;
  const auto number = std::to_string(rounds_.size());
  append_clients patient{cluster_->endpoints(),
                         "p" + number + "-",
                         {.per_node = 2, .timeout = milliseconds{2'000}, .think = milliseconds{2}}};
  // These give up in the middle of what goes on: what they are told then must be true.
  append_clients hasty{cluster_->endpoints(),
                       "h" + number + "-",
                       {.per_node = 1, .timeout = milliseconds{100}, .think = milliseconds{2}}};
  for (std::size_t i = 0; i < strikes_per_round && !over(); ++i)
    perform(plan_.next());
  const auto healed = cluster_->wait_all_healthy(heal_takes);
  append_round r{page->end, patient.stop()};
  r.seen.add(hasty.stop());
  const auto gap = r.seen.longest_gap();
  longest_gap_ = std::max(longest_gap_, gap);
  r.seen.add(std::exchange(away_, {}));
  say("round " + number + ": " + std::to_string(r.seen.count(append_fate::acknowledged)) +
      " acknowledged, longest gap " + std::to_string(gap / milliseconds{1}) + " ms");
  rounds_.push_back(std::move(r));
  return healed && cluster_->trouble().empty();
}

std::string fire::judge() {
  std::vector<std::size_t> nodes;
  for (std::size_t n = 1; n <= cluster_->size(); ++n)
    nodes.push_back(n);
  const auto logs = settled_logs(*cluster_, nodes);
  for (const auto& r : rounds_)
    all_.add(append_history{r.seen});
  auto wrong = violations(all_, logs);
  if (logs.size() != nodes.size())
    wrong += "only " + std::to_string(logs.size()) + " of the nodes answer with their log\n";
  else
    wrong += search_order(rounds_, logs.begin()->second);
  if (network_)
    wrong += network_->trouble();
  if (small_disk_)
    wrong += small_disk_->trouble();
  return wrong + cluster_->trouble();
}

// ---- attacks ------------------------------------------------------------------------------------------

bool fire::possible(const attack& a) const {
  switch (a.what) {
  case deed::cut_off:
  case deed::cut_one_way:
    return network_ != nullptr;
  case deed::full_disk:
    return small_disk_ != nullptr;
  default:
    return true;
  }
}

void fire::perform(const strike& planned) {
  strike s{{}, planned.lasts, planned.then_rest};
  std::string line;
  for (const auto& a : planned.attacks) {
    line += (line.empty() ? "" : ", ") + text(a) + (possible(a) ? "" : " (skipped)");
    if (possible(a))
      s.attacks.push_back(a);
    else
      ++skipped_;
  }
  say(line + ", for " + std::to_string(s.lasts.count()) + " ms");
  for (const auto& a : s.attacks) {
    ++times_.at(static_cast<std::size_t>(a.what));
    begin(a);
  }
  last(s);
  // A node with a full disk notices it when it has something to write, for which a majority has to be back.
  std::ranges::stable_partition(s.attacks, [](const attack& a) { return a.what != deed::full_disk; });
  for (const auto& a : s.attacks)
    undo(a);
  std::this_thread::sleep_for(s.then_rest);
}

void fire::begin(const attack& a) {
  switch (a.what) {
  case deed::kill:
  case deed::kill_starting:
    return cluster_->kill9(a.node);
  case deed::kill_receiving:
    return leave_behind(a.node);
  case deed::stop:
    return static_cast<void>(cluster_->stop(a.node, SIGTERM, stop_takes));
  case deed::freeze:
    return cluster_->freeze(a.node);
  case deed::stutter:
    return;  // while it lasts
  case deed::slow_disk:
    return disks_[a.node - 1].slow_down(a.amount);
  case deed::full_disk:
    return small_disk_->fill();
  case deed::cut_off:
    return isolate(a.node, true);
  case deed::cut_one_way:
    return network_->cut(a.node, a.other);
  }
}

void fire::undo(const attack& a) {
  switch (a.what) {
  case deed::kill:
  case deed::stop:
    return cluster_->launch(a.node);
  case deed::kill_starting:
    return start_and_kill(a);
  case deed::kill_receiving:
    return receive_and_kill(a);
  case deed::freeze:
    return cluster_->thaw(a.node);
  case deed::stutter:
    return;
  case deed::slow_disk:
    return disks_[a.node - 1].slow_down(milliseconds{0});
  case deed::full_disk:
    return refill(a.node);
  case deed::cut_off:
    return isolate(a.node, false);
  case deed::cut_one_way:
    return network_->mend(a.node, a.other);
  }
}

void fire::last(const strike& s) {
  const auto until = clock::now() + s.lasts;
  while (clock::now() < until && !*interrupted_) {
    auto paused = false;
    for (const auto& a : s.attacks)
      if (a.what == deed::stutter) {
        cluster_->freeze(a.node);
        std::this_thread::sleep_for(a.amount);
        cluster_->thaw(a.node);
        std::this_thread::sleep_for(a.amount / 2);
        paused = true;
      }
    if (!paused)
      std::this_thread::sleep_for(slice);
  }
}

void fire::isolate(std::size_t n, bool cut) {
  for (std::size_t m = 1; m <= cluster_->size(); ++m) {
    if (m == n)
      continue;
    cut ? network_->cut(n, m) : network_->mend(n, m);
    cut ? network_->cut(m, n) : network_->mend(m, n);
  }
}

void fire::leave_behind(std::size_t n) {
  cluster_->kill9(n);
  auto others = cluster_->endpoints();
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(n - 1));
  append_clients burst{
      others,
      "b" + std::to_string(bursts_++) + "-",
      {.per_node = 2, .timeout = milliseconds{2'000}, .read_every = 0, .value_bytes = burst_value_bytes}};
  for (const auto until = clock::now() + burst_lasts_at_most;
       burst.acknowledged() < burst_appends && clock::now() < until && !*interrupted_;)
    std::this_thread::sleep_for(slice);
  away_.add(burst.stop());
}

void fire::start_and_kill(const attack& a) {
  for (const auto part : {1, 2, 4}) {
    cluster_->launch(a.node);
    std::this_thread::sleep_for(a.amount / part);
    cluster_->kill9(a.node);
  }
  cluster_->launch(a.node);
}

std::size_t fire::snapshots_sent() const {
  std::size_t sent = 0;
  for (std::size_t n = 1; n <= cluster_->size(); ++n)
    sent += cluster_->log_lines(n, " a snapshot of index ").size();
  return sent;
}

void fire::receive_and_kill(const attack& a) {
  const auto before = snapshots_sent();
  cluster_->launch(a.node);
  // Nobody sends one where a majority was away as well.
  for (const auto until = clock::now() + std::chrono::seconds{3}; clock::now() < until;) {
    if (snapshots_sent() > before) {
      ++killed_receiving_;
      std::this_thread::sleep_for(a.amount);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  cluster_->kill9(a.node);
  cluster_->launch(a.node);
}

void fire::await_stop_of_full_disk(std::size_t n) {
  const auto end = cluster_->await_end(n, stop_takes);
  if (!end) {
    say("n" + std::to_string(n) + " had nothing to write to its full disk");
    // What it has tried in the background may end it later, which would be no fault of its own then.
    cluster_->kill9(n);
    return;
  }
  ++stopped_full_;
  const auto lines = cluster_->log_lines(n, "No space left on device");
  if (*end != process_end{1, 0} || lines.empty())
    wrong_ += "n" + std::to_string(n) + " met its full disk and ended with " + text(*end) + ", saying \"" +
              (lines.empty() ? std::string{"nothing of it"} : lines.front()) + "\"\n";
}

void fire::refill(std::size_t n) {
  await_stop_of_full_disk(n);
  small_disk_->free();
  cluster_->launch(n);
}

void fire::print_summary() const {
  const auto acknowledged = all_.count(append_fate::acknowledged);
  const auto seconds = std::chrono::duration<double>(clock::now() - begin_).count();
  std::printf("fire: %zu acknowledged (%.0f/s), %zu refused, %zu unknown, %zu reads; longest gap %lld ms\n",
              acknowledged, static_cast<double>(acknowledged) / seconds, all_.count(append_fate::refused),
              all_.count(append_fate::unknown), all_.reads.size(),
              static_cast<long long>(longest_gap_ / milliseconds{1}));
  std::printf("fire:");
  for (std::size_t i = 0; i < deed_kinds; ++i)
    std::printf(" %s %llu,", std::string{to_string(static_cast<deed>(i))}.c_str(),
                static_cast<unsigned long long>(times_[i]));
  std::printf(" skipped %llu; %llu kills hit a snapshot on its way, %llu stops of a full disk\n",
              static_cast<unsigned long long>(skipped_), static_cast<unsigned long long>(killed_receiving_),
              static_cast<unsigned long long>(stopped_full_));
  std::printf("fire: replay: QUORATE_SEED=%llu QUORATE_MEMBERS=%zu QUORATE_FIRE_SECONDS=%lld\n",
              static_cast<unsigned long long>(options_.seed), options_.nodes,
              static_cast<long long>(options_.lasts.count()));
  std::fflush(stdout);
}

}  // namespace quorate::testing
