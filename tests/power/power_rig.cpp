#include "tests/power/power_rig.hpp"

#include "tests/harness/process/append_clients.hpp"
#include "tests/harness/process/healing.hpp"
#include "tests/power/history_file.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <thread>

namespace quorate::testing {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::size_t kept_max = 3;
// Small enough that snapshots are taken and the journal's files are used again.
constexpr const char* small_limits = "  limits { log-entries = 1000, log-bytes = 1048576 }";

nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

template <class T>
const T& any_of(const std::vector<T>& all, disk_model::random& r) {
  return all[r() % all.size()];
}

/// A few clients for each size of a value.
std::vector<client_habits> crowd(bool heavy) {
  const auto some = [](std::size_t clients, std::size_t bytes, std::chrono::milliseconds think) {
    client_habits h;
    h.per_node = clients;
    h.timeout = 2s;
    h.value_bytes = bytes;
    h.think = think;
    return h;
  };
  if (heavy)
    return {some(2, 0, 0ms), some(2, 4'000, 0ms), some(1, 60'000, 2ms), some(1, 400'000, 10ms)};
  return {some(2, 0, 0ms), some(1, 300, 1ms), some(1, 5'000, 5ms), some(1, 100'000, 40ms)};
}

}  // namespace

append_history until(const append_history& history, nanoseconds moment) {
  append_history out;
  out.odd = history.odd;
  for (const auto& a : history.appends) {
    if (a.invoked > moment)
      continue;
    out.appends.push_back(a);
    if (a.returned > moment)
      out.appends.back().fate = append_fate::unknown;
  }
  for (const auto& r : history.reads)
    if (r.returned <= moment)
      out.reads.push_back(r);
  return out;
}

power_rig::power_rig(power_plan plan) : plan_(std::move(plan)), random_(plan_.seed) {
  cluster_plan c;
  c.nodes = plan_.nodes;
  c.more_spec = small_limits;
  c.protocol = plan_.seed % 2 == 0 ? "paxos" : "mencius";
  for (std::size_t n = 1; n <= plan_.nodes; ++n) {
    disks_.push_back(std::make_unique<recorded_disk>(folder_.path(), "n" + std::to_string(n)));
    node_place place;
    place.data = disks_.back()->data();
    place.surroundings.environment = disks_.back()->environment();
    c.places.push_back(std::move(place));
  }
  cluster_ = std::make_unique<process_cluster>(std::move(c));
}

power_result power_rig::run() {
  for (std::size_t n = 1; n <= plan_.boots; ++n) {
    if (!boot(n) || !collect())
      break;
    ++result_.boots;
    try_points(plan_.points * n / plan_.boots - plan_.points * (n - 1) / plan_.boots);
    if (plan_.first_only && !result_.failures.empty())
      break;
    if (random_() % 2 == 0)
      lose_power();
  }
  return std::move(result_);
}

// --- one boot
// ----------------------------------------------------------------------------------------------------

disk_weather power_rig::weather() {
  disk_weather w;
  w.lost_syncs = plan_.lost_syncs;
  w.lost_syncs_from = plan_.lost_syncs_from;
  const auto roll = random_() % 100;
  // Half of them in the start.
  const auto at = 1 + random_() % (random_() % 2 == 0 ? 80 : 3'000);
  if (!plan_.faults || roll < 30)
    return w;
  if (roll < 60) {
    w.fault_kinds = fail_syncs;
    w.fault_error = EIO;
    w.fault_at = 1 + at / 3;
    w.fault_part = any_of<std::string>({"", "", "/journal/", ".segment", "/state/"}, random_);
  } else if (roll < 70) {
    w.short_write_every = 2 + random_() % 4;
  } else if (roll < 85) {
    w.kill_at = at;
  } else {
    w.fault_kinds = fail_writes;
    w.fault_error = roll < 95 ? ENOSPC : EIO;
    w.fault_stays = roll < 95;
    w.fault_at = at;
  }
  return w;
}

bool power_rig::boot(std::size_t number) {
  // A fault hits one node at a time: what two disks that fail at once may lose is no question here.
  const auto unlucky = random_() % plan_.nodes;
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    auto w = weather();
    if (i != unlucky) {
      w.fault_kinds = 0;
      w.short_write_every = 0;
      w.kill_at = 0;
    }
    disks_[i]->record(w);
  }
  boot_began_ = static_cast<moment>(now().count());
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    cluster_->launch(n);
  auto serves = true;
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    if (!cluster_->wait_healthy(n, 15s)) {
      const auto& disk = *disks_[n - 1];
      if (cluster_->running(n) && n - 1 == unlucky && disk.failed() > 0)
        continue;
      // Nobody is founded without all members: it waits for the one that has ended.
      if (cluster_->running(n) && !cluster_->running(unlucky + 1) &&
          cluster_->log_lines(n, "is founded").empty() && !cluster_->log_lines(n, "waits for all members").empty()) {
        serves = false;
        continue;
      }
      if (n - 1 != unlucky || cluster_->running(n) ||
          (disk.failed() == 0 && cluster_->await_end(n, 0ms) != process_end{-1, SIGKILL})) {
        fail("does not start\nboot " + std::to_string(number) + ", n" + std::to_string(n) + ": " +
             last_words(n));
        stop_all();
        return false;
      }
      serves = serves && plan_.nodes > 1;
    }
  if (serves) {
    read_all(unlucky == 0 && plan_.nodes > 1 ? 2 : 1);
    load(number);
  } else {
    stop_all();
  }
  return true;
}

void power_rig::load(std::size_t number) {
  std::vector<std::unique_ptr<append_clients>> clients;
  for (const auto& habits : crowd(plan_.heavy))
    clients.push_back(std::make_unique<append_clients>("b" + std::to_string(number) + "s" +
                                                           std::to_string(habits.value_bytes) + "c",
                                                       cluster_->http_ports(), habits));
  const auto for_so_long = std::chrono::milliseconds{150 + random_() % 350} * (plan_.heavy ? 4 : 1);
  const auto end = now() + for_so_long;
  while (now() < end && (plan_.nodes > 1 || cluster_->running(1)))
    std::this_thread::sleep_for(5ms);
  stop_all();
  for (auto& c : clients)
    seen_.add(c->stop());
}

void power_rig::stop_all() {
  for (auto& d : disks_)
    d->hold();
  for (std::size_t n = 1; n <= plan_.nodes; ++n) {
    if (cluster_->running(n)) {
      cluster_->kill9(n);
      continue;
    }
    const auto end = cluster_->await_end(n, 0ms).value_or(process_end{});
    ++result_.seen["ended by itself: " + text(end)];
    if (end != process_end{1, 0} && end != process_end{-1, SIGKILL})
      fail("ends badly\nn" + std::to_string(n) + ": " + text(end) + ": " + last_words(n));
  }
  for (auto& d : disks_)
    d->release();
}

bool power_rig::collect() {
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    if (const auto wrong = disks_[n - 1]->boot_ends(); !wrong.empty()) {
      fail("the record is wrong\nn" + std::to_string(n) + ": " + wrong);
      return false;
    }
  return true;
}

void power_rig::read_all(std::size_t n) {
  auto client = cluster_->client(n, 10s);
  for (std::uint64_t from = 0;;) {
    read_record r{n, now(), {}, from, {}};
    const auto reply = client.get("/log?limit=1000&from=" + std::to_string(from));
    r.returned = now();
    auto page = reply && reply->status == 200 ? parse_log_page(reply->body) : std::nullopt;
    if (!page || (page->next <= from && page->next < page->end))
      return;
    from = page->next;
    const auto done = page->next >= page->end;
    r.page = std::move(*page);
    seen_.reads.push_back(std::move(r));
    if (done)
      return;
  }
}

// --- power losses
// ------------------------------------------------------------------------------------------------

power_rig::moment power_rig::any_moment() {
  const auto& trace = disks_[random_() % disks_.size()]->traces().back();
  const auto& events = trace->events();
  if (events.empty())
    return boot_began_;
  auto at = random_() % events.size();
  // Half of the time where something else than a write happens: these are few.
  if (random_() % 2 == 0)
    for (std::size_t tries = 0; tries < events.size() && events[at].kind == disk_event_kind::write; ++tries)
      at = (at + 1) % events.size();
  return events[at].began + random_() % 3 - 1;
}

power_rig::loss power_rig::any_loss() {
  loss l;
  l.at = any_moment();
  l.seed = random_();
  const auto any = [&] { return static_cast<survival>(random_() % survivals); };
  const auto same = any();
  const auto alike = random_() % 2 == 0;
  for (std::size_t n = 0; n < disks_.size(); ++n)
    l.how.push_back(alike ? same : any());
  return l;
}

std::vector<disk_walk> power_rig::walks() const {
  std::vector<disk_walk> out;
  for (const auto& d : disks_)
    out.push_back(d->walk());
  return out;
}

std::vector<disk_image> power_rig::left(std::vector<disk_walk>& walks, const loss& l) {
  std::vector<disk_image> out;
  random r{l.seed};
  for (std::size_t i = 0; i < walks.size(); ++i) {
    walks[i].to(l.at);
    out.push_back(walks[i].model().crash(l.how[i], r));
  }
  return out;
}

void power_rig::try_points(std::size_t count) {
  std::vector<loss> losses;
  while (losses.size() < count)
    losses.push_back(any_loss());
  // In order, so that the traces are walked once.
  std::ranges::sort(losses, {}, &loss::at);
  auto all = walks();
  for (const auto& l : losses) {
    ++result_.points;
    ++result_.seen[std::string{"kept: "} + name_of(l.how.front())];
    if (const auto wrong = try_one(l, left(all, l)); !wrong.empty())
      fail(wrong, &l);
    if (plan_.first_only && !result_.failures.empty())
      return;
  }
}

void power_rig::lose_power() {
  const auto l = any_loss();
  auto all = walks();
  auto images = left(all, l);
  for (std::size_t i = 0; i < disks_.size(); ++i)
    disks_[i]->lose_power(std::move(images[i]));
  seen_ = until(seen_, nanoseconds{l.at});
  ++result_.seen["went on after a power loss"];
}

std::string power_rig::try_one(const loss& l, const std::vector<disk_image>& left) {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    disks_[i]->put_aside(left[i]);
    disks_[i]->show();
  }
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    cluster_->launch(n);
  std::string wrong;
  for (std::size_t n = 1; n <= plan_.nodes && wrong.empty(); ++n)
    if (!cluster_->wait_healthy(n, 15s))
      wrong = "does not start\nn" + std::to_string(n) + ": " + last_words(n);
  if (wrong.empty())
    wrong = check_started(until(seen_, nanoseconds{static_cast<std::int64_t>(l.at)}));
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    cluster_->kill9(n);
  for (auto& d : disks_)
    d->put_back();
  return wrong;
}

std::string power_rig::check_started(const append_history& seen) {
  std::vector<std::size_t> nodes;
  for (std::size_t n = 1; n <= plan_.nodes; ++n)
    nodes.push_back(n);
  const auto logs = settled_logs(*cluster_, nodes, 10s);
  if (logs.size() != nodes.size())
    return "does not answer\nonly " + std::to_string(logs.size()) + " of the nodes give their log\n";
  if (const auto wrong = violations(seen, logs); !wrong.empty())
    return "the log is wrong\n" + wrong;
  auto client = cluster_->client(1 + probes_ % plan_.nodes);
  const auto value = "probe " + std::to_string(++probes_);
  const auto reply = client.post("/append_log", append_text("probe", value));
  const auto index = reply && reply->status == 200 ? parse_append_answer(reply->body) : std::nullopt;
  if (!index || *index < logs.begin()->second.size())
    return "does not serve\n" + (reply ? std::to_string(reply->status) + " " + reply->body : "no answer");
  return {};
}

// --- what fails
// -------------------------------------------------------------------------------------------------

std::string power_rig::last_words(std::size_t n) const {
  const auto lines = cluster_->log_lines(n, "");
  std::string out;
  for (std::size_t i = lines.size() - std::min<std::size_t>(lines.size(), 3); i < lines.size(); ++i)
    out += (out.empty() ? "" : " | ") + lines[i];
  return out;
}

void power_rig::fail(const std::string& what, const loss* l) {
  auto text = what + "\n  seed " + std::to_string(plan_.seed) + ", " + std::to_string(plan_.nodes) + " nodes";
  if (l != nullptr) {
    text += ", kept: " + std::string{name_of(l->how.front())};
    if (plan_.keep && result_.failures.size() < kept_max) {
      auto name = (fs::temp_directory_path() / "quorate-power-loss-XXXXXX").string();
      if (::mkdtemp(name.data()) != nullptr) {
        save(name, *l);
        text += "\n  again: QUORATE_POWER_LOSS_REPLAY=" + name +
                " build/release/tests/power_test --test-case=\"one power loss*\"";
      }
    }
  }
  result_.failures.push_back(text);
}

void power_rig::save(const fs::path& folder, const loss& l) const {
  for (const auto& d : disks_)
    d->save(folder);
  save_history(seen_, folder / "history");
  std::ofstream out{folder / "loss"};
  out << plan_.nodes << " " << plan_.seed << " " << l.at << " " << l.seed;
  for (const auto how : l.how)
    out << " " << static_cast<int>(how);
  out << "\n";
}

std::string power_rig::replay(const fs::path& kept) {
  std::ifstream in{kept / "loss"};
  std::size_t nodes = 0;
  std::uint64_t seed = 0;
  loss l;
  in >> nodes >> seed >> l.at >> l.seed;
  for (int how = 0; in >> how;)
    l.how.push_back(static_cast<survival>(how));
  if (nodes != plan_.nodes || seed != plan_.seed || l.how.size() != nodes)
    return "these files are of another run\n";
  for (auto& d : disks_)
    d->load(kept);
  seen_ = load_history(kept / "history");
  auto all = walks();
  return try_one(l, left(all, l));
}

}  // namespace quorate::testing
