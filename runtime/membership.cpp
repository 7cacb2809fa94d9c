#include "runtime/membership.hpp"

#include "actors/members.hpp"
#include "protocols/quorum.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quorate {

namespace {

constexpr timer_tag heartbeat{1};
constexpr std::size_t intervals_kept = 100;
constexpr double phi_max = 8.0;
constexpr auto disk_level_max = static_cast<std::uint32_t>(disk_level::spent);

}  // namespace

std::string text(const connectivity& m) {
  return m.majority ? "connectivity{majority}" : "connectivity{minority}";
}
std::size_t wire_size(const connectivity&) {
  return 64;
}
std::string text(const replica_load& m) {
  return "replica_load{" + std::to_string(m.waiting) + "}";
}
std::size_t wire_size(const replica_load&) {
  return 64;
}

std::string text(const disk_room& m) {
  return "disk_room{" + std::to_string(static_cast<int>(m.level)) + "}";
}
std::size_t wire_size(const disk_room&) {
  return 16;
}

void silence_meter::heard(time_point now) {
  if (heard_) {
    intervals_.push_back(std::chrono::duration<double>(now - last_).count());
    if (intervals_.size() > intervals_kept)
      intervals_.pop_front();
  }
  heard_ = true;
  last_ = now;
}

double silence_meter::phi(time_point now) const {
  // A few heartbeats say little: begin with what was agreed, and never believe in a perfect clock.
  const auto expected = std::chrono::duration<double>(expected_).count();
  auto mean = expected;
  auto deviation = expected / 2;
  if (intervals_.size() >= 10) {
    double sum = 0;
    for (const auto x : intervals_)
      sum += x;
    mean = sum / static_cast<double>(intervals_.size());
    double squares = 0;
    for (const auto x : intervals_)
      squares += (x - mean) * (x - mean);
    deviation = std::max(std::sqrt(squares / static_cast<double>(intervals_.size())), expected / 2);
  }
  const auto y = (std::chrono::duration<double>(silence(now)).count() - mean) / deviation;
  const auto e = std::exp(-y * (1.5976 + 0.070566 * y * y));
  return y > 0 ? -std::log10(e / (1.0 + e)) : -std::log10(1.0 - 1.0 / (1.0 + e));
}

membership::membership(membership_setup setup) : setup_(std::move(setup)) {
  for (const auto& m : setup_.members)
    if (m.id != setup_.self)
      meters_.emplace(m.id, silence_meter{setup_.heartbeat_every});
}

void membership::start(out& o) {
  for (auto& [node, meter] : meters_)
    meter.begin(o.now());
  on(heartbeat, o);
}

void membership::on(node_id from, const wire::Heartbeat& msg, out& o) {
  const auto meter = meters_.find(from);
  if (meter == meters_.end())
    return;
  meter->second.heard(o.now());
  auto& before = claims_[from];
  const claims now{msg.fill_percent(), msg.hears_majority(),
                   static_cast<disk_level>(std::min<std::uint32_t>(msg.disk(), disk_level_max))};
  const auto news = now.hears_majority != before.hears_majority || now.disk != before.disk;
  before = now;
  if (!reachable_[from])
    tell(o);
  else if (news)
    admit(o);
}

void membership::on(node_id, const replica_load& msg, out&) {
  const auto percent = msg.quarantined ? std::uint64_t{1'000} : msg.waiting * 100 / setup_.waiting_max;
  claims_[setup_.self].fill_percent = static_cast<std::uint32_t>(std::min<std::uint64_t>(percent, 1'000));
}

void membership::on(node_id, const disk_room& msg, out& o) {
  if (std::exchange(claims_[setup_.self].disk, msg.level) != msg.level)
    tell(o);
}

void membership::on(timer_tag, out& o) {
  o.set_timer(heartbeat, setup_.heartbeat_every);
  look(o);
  ++none_ticks_;
  std::vector<node_id> others;
  for (const auto& [node, meter] : meters_)
    others.push_back(node);
  const auto& own = claims_[setup_.self];
  wire::Heartbeat msg;
  msg.set_number(++number_);
  msg.set_fill_percent(own.fill_percent);
  msg.set_hears_majority(majority_);
  msg.set_disk(static_cast<std::uint32_t>(own.disk));
  if (!others.empty())
    o.send_now(others, std::move(msg));  // reveals nothing but how this node is
  tell(o);
}

/// Who can be reached now.
void membership::look(out& o) {
  std::size_t up = 1;
  for (const auto& [node, meter] : meters_) {
    const auto now = meter.ever_heard() && meter.silence(o.now()) < setup_.suspect_after &&
                     meter.phi(o.now()) < phi_max;
    up += now ? 1 : 0;
    auto& before = reachable_[node];
    if (before != now)
      o.note(now ? severity::info : severity::warning,
             name_of(node, setup_.members) + (now ? " is reachable" : " is silent"));
    before = now;
  }
  majority_ = majority{setup_.members.size()}.reached(up);
}

void membership::tell(out& o) {
  look(o);
  admit(o);
  connectivity msg;
  nodes_seen seen;
  const auto& own = claims_[setup_.self];
  seen.of[setup_.self] = {true, own.fill_percent};
  for (const auto& [node, meter] : meters_) {
    const auto& said = claims_[node];
    msg.peers[node] = {in_sight(node), meter.phi(o.now()), meter.silence(o.now()), said.disk};
    seen.of[node] = {in_sight(node), said.fill_percent};
  }
  msg.majority = majority_;
  msg.takes_writes = told_.room_to_grow;
  msg.disk = own.disk;
  o.send_now(setup_.self, std::move(msg));
  o.send_now(setup_.self, std::move(seen));
}

// --- what the edge may let in
// ---------------------------------------------------------------------------------------

bool membership::in_sight(node_id peer) const {
  const auto found = reachable_.find(peer);
  return found != reachable_.end() && found->second;
}

/// Whether a majority could take what is refused from this level on. Who is silent could not; who has just not been
/// heard yet gets the benefit of the doubt. Without a majority it is not the disks that are short.
bool membership::room_for(disk_level refused_from, time_point now) const {
  std::size_t able = 0;
  for (const auto& m : setup_.members) {
    const auto said = claims_.find(m.id);
    const auto roomy = said == claims_.end() || said->second.disk < refused_from;
    const auto meter = meters_.find(m.id);
    const auto counts = m.id == setup_.self || in_sight(m.id) ||
                        (!meter->second.ever_heard() && meter->second.silence(now) < setup_.suspect_after);
    able += roomy && counts ? 1 : 0;
  }
  return !majority_ || majority{setup_.members.size()}.reached(able);
}

/// Counts our own heartbeats beside the time: where this node itself has stood still, that says nothing about others.
bool membership::majority_is_lost(time_point now) {
  const auto somebody = majority_ || std::ranges::any_of(claims_, [&](const auto& entry) {
                          return entry.second.hears_majority && in_sight(entry.first);
                        });
  if (somebody) {
    none_since_.reset();
    return false;
  }
  if (!none_since_) {
    none_since_ = now;
    none_ticks_ = 0;
  }
  const auto beats = static_cast<std::uint64_t>(setup_.suspect_after / setup_.heartbeat_every);
  return now - *none_since_ >= setup_.suspect_after && none_ticks_ >= beats;
}

std::string membership::names_of_full() const {
  std::string out;
  for (const auto& m : setup_.members)
    if (const auto said = claims_.find(m.id);
        said != claims_.end() && said->second.disk >= disk_level::full)
      out += (out.empty() ? "" : ", ") + m.name;
  return out;
}

void membership::admit(out& o) {
  const admission now{majority_is_lost(o.now()), room_for(disk_level::full, o.now()),
                      room_for(disk_level::spent, o.now())};
  if (now == told_)
    return;
  if (now.room_to_grow != told_.room_to_grow)
    o.note(now.room_to_grow ? severity::info : severity::warning,
           now.room_to_grow ? "takes writes again: a majority has room on its disks"
                            : "refuses writes: fewer than a majority could take one above the reserve of their "
                              "disks; below it: " + names_of_full());
  if (now.majority_lost != told_.majority_lost)
    o.note(now.majority_lost ? severity::warning : severity::info,
           now.majority_lost ? "refuses writes and linearizable reads at once: no majority is in sight"
                             : "a majority is in sight again");
  told_ = now;
  o.send_now(setup_.self, admission{now});
}

}  // namespace quorate
