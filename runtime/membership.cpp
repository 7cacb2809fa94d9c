#include "runtime/membership.hpp"

#include "protocols/quorum.hpp"

#include <algorithm>
#include <cmath>

namespace quorate {

namespace {

constexpr timer_tag heartbeat{1};
constexpr std::size_t intervals_kept = 100;
constexpr double phi_max = 8.0;

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
  fill_percent_[from] = msg.fill_percent();
  if (!reachable_[from])
    tell(o);
}

void membership::on(node_id, const replica_load& msg, out&) {
  const auto percent = msg.waiting * 100 / setup_.waiting_max;
  fill_percent_[setup_.self] = static_cast<std::uint32_t>(std::min<std::uint64_t>(percent, 1'000));
}

void membership::on(timer_tag, out& o) {
  o.set_timer(heartbeat, setup_.heartbeat_every);
  std::vector<node_id> others;
  for (const auto& [node, meter] : meters_)
    others.push_back(node);
  wire::Heartbeat msg;
  msg.set_number(++number_);
  msg.set_fill_percent(fill_percent_[setup_.self]);
  if (!others.empty())
    o.send_now(others, std::move(msg));  // reveals nothing but that this node lives
  tell(o);
}

void membership::tell(out& o) {
  connectivity msg;
  nodes_seen seen;
  seen.of[setup_.self] = {true, fill_percent_[setup_.self]};
  std::size_t up = 1;
  for (const auto& [node, meter] : meters_) {
    connectivity::peer p;
    p.silence = meter.silence(o.now());
    p.phi = meter.phi(o.now());
    p.reachable = meter.ever_heard() && p.silence < setup_.suspect_after && p.phi < phi_max;
    up += p.reachable ? 1 : 0;
    auto& before = reachable_[node];
    if (before != p.reachable)
      o.note(p.reachable ? severity::info : severity::warning,
             text(node) + (p.reachable ? " is reachable" : " is silent"));
    before = p.reachable;
    msg.peers[node] = p;
    seen.of[node] = {p.reachable, fill_percent_[node]};
  }
  msg.majority = majority{setup_.members.size()}.reached(up);
  o.send_now(setup_.self, std::move(msg));
  o.send_now(setup_.self, std::move(seen));
}

}  // namespace quorate
