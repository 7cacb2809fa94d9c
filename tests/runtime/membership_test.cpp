#include "runtime/membership.hpp"

#include "actors/prng.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

#include <map>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr node_id n3{3};

membership_setup setup(std::uint32_t members) {
  membership_setup out{{}, n1, 100ms, 1s};
  for (std::uint32_t i = 1; i <= members; ++i)
    out.members.push_back({node_id{i}, "n" + std::to_string(i), disk_id{i}});
  return out;
}

connectivity belief(const lone_role<membership>& m) {
  const auto told = m.sent<connectivity>();
  REQUIRE(told.size() == 1);
  return told.front();
}

}  // namespace

TEST_CASE("suspicion grows with silence and falls with a heartbeat") {
  silence_meter meter{100ms};
  time_point now{};
  meter.begin(now);
  for (int i = 0; i < 50; ++i)
    meter.heard(now += 100ms);
  CHECK(meter.phi(now) < 0.1);
  double before = -1;
  for (const auto silence : {0ms, 50ms, 100ms, 200ms, 400ms, 800ms, 1600ms}) {
    const auto phi = meter.phi(now + silence);
    CHECK(phi >= before);
    before = phi;
  }
  CHECK(meter.phi(now + 100ms) > 0.2);
  CHECK(meter.phi(now + 100ms) < 0.5);
  CHECK(meter.phi(now + 800ms) > 8);
  // However long it lasts it is a number.
  CHECK(meter.phi(now + std::chrono::hours{24 * 365}) > 8);
  meter.heard(now += 800ms);
  CHECK(meter.phi(now) < 1);
}

TEST_CASE("suspicion learns from irregular heartbeats") {
  silence_meter regular{100ms};
  silence_meter irregular{100ms};
  prng random{1};
  time_point now{};
  for (int i = 0; i < 100; ++i)
    regular.heard(now += 100ms);
  time_point other{};
  for (int i = 0; i < 100; ++i)
    irregular.heard(other += std::chrono::milliseconds{random.between(10, 600)});
  CHECK(irregular.phi(other + 600ms) < regular.phi(now + 600ms));
  CHECK(irregular.phi(other + 600ms) < 8);
}

TEST_CASE("a node sends heartbeats to the other members, and none to itself") {
  lone_role<membership> m{setup(3)};
  m.start();
  CHECK(m.sent_to<wire::Heartbeat>() == std::vector{n2, n3});
  const auto first = m.sent<wire::Heartbeat>().front().number();
  m.pass(100ms);
  const auto said = m.tick();
  CHECK(has(said, "set_timer 1 100000us"));
  CHECK(m.sent<wire::Heartbeat>().front().number() == first + 1);

  lone_role<membership> alone{setup(1)};
  alone.start();
  CHECK(alone.sent<wire::Heartbeat>().empty());
  CHECK(belief(alone).majority);
}

TEST_CASE("a node becomes reachable with its first heartbeat and silent without, told once each") {
  lone_role<membership> m{setup(3)};
  m.start();
  CHECK(!belief(m).majority);
  CHECK(m.notes() == "");
  m.pass(50ms);
  m.on(n2, wire::Heartbeat{});
  CHECK(m.notes() == "n2 is reachable");
  CHECK(belief(m).majority);
  CHECK(belief(m).peers.at(n2).reachable);
  CHECK(!belief(m).peers.at(n3).reachable);
  // The next one is no news.
  m.pass(100ms);
  CHECK(m.on(n2, wire::Heartbeat{}) == "");

  std::string notes;
  int ticks = 0;
  while (notes.empty() && ticks < 20) {
    m.pass(100ms);
    m.tick();
    ++ticks;
    notes = m.notes();
  }
  CHECK(notes == "n2 is silent");
  CHECK(ticks <= 10);
  CHECK(!belief(m).majority);
  CHECK(belief(m).peers.at(n2).silence >= 200ms);
  m.pass(100ms);
  m.tick();
  CHECK(m.notes() == "");
  m.on(n2, wire::Heartbeat{});
  CHECK(m.notes() == "n2 is reachable");
}

TEST_CASE("a silence that is too long counts whatever the intervals were") {
  lone_role<membership> m{setup(3)};
  m.start();
  for (int i = 0; i < 30; ++i) {
    m.pass(900ms);
    m.on(n2, wire::Heartbeat{});
  }
  m.pass(990ms);
  m.tick();
  CHECK(belief(m).peers.at(n2).reachable);
  m.pass(10ms);
  m.tick();
  CHECK(!belief(m).peers.at(n2).reachable);
}

TEST_CASE("a majority counts this node") {
  for (std::uint32_t members = 1; members <= 9; ++members) {
    lone_role<membership> m{setup(members)};
    m.start();
    for (std::uint32_t heard = 0; heard < members; ++heard) {
      if (heard > 0)
        m.on(node_id{heard + 1}, wire::Heartbeat{});
      m.tick();
      CHECK_MESSAGE(belief(m).majority == (2 * (heard + 1) > members), (heard + 1) << " of " << members);
    }
  }
}

TEST_CASE("a heartbeat of a stranger changes nothing") {
  lone_role<membership> m{setup(3)};
  m.start();
  CHECK(m.on(node_id{9}, wire::Heartbeat{}) == "");
  CHECK(m.on(n1, wire::Heartbeat{}) == "");
  m.tick();
  CHECK(belief(m).peers.size() == 2);
}

namespace {

wire::Heartbeat beat(bool hears_majority, disk_level disk = disk_level::roomy) {
  wire::Heartbeat out;
  out.set_hears_majority(hears_majority);
  out.set_disk(static_cast<std::uint32_t>(disk));
  return out;
}

/// What the edge has been told last; nothing where it was not told again.
std::string told(const lone_role<membership>& m) {
  const auto all = m.sent<admission>();
  return all.empty() ? "" : text(all.back());
}

/// Lets time pass, with a heartbeat of each of these every 100 ms. \returns what the edge was told meanwhile
std::string pass_with(lone_role<membership>& m, duration time, const std::map<node_id, wire::Heartbeat>& heard) {
  std::string out;
  const auto keep = [&] {
    if (const auto now = told(m); !now.empty())
      out += (out.empty() ? "" : "; ") + now;
  };
  for (const auto end = m.now() + time; m.now() < end;) {
    m.pass(100ms);
    for (const auto& [node, msg] : heard) {
      m.on(node, msg);
      keep();
    }
    m.tick();
    keep();
  }
  return out;
}

}  // namespace

TEST_CASE("a node says with its heartbeats whether it hears a majority, and how its disk is") {
  lone_role<membership> m{setup(3)};
  m.start();
  CHECK_FALSE(m.sent<wire::Heartbeat>().at(0).hears_majority());
  m.on(n2, beat(true));
  m.pass(100ms);
  m.tick();
  CHECK(m.sent<wire::Heartbeat>().at(0).hears_majority());
  CHECK(m.sent<wire::Heartbeat>().at(0).disk() == 0);
  m.on(n1, disk_room{disk_level::full});
  m.pass(100ms);
  m.tick();
  CHECK(m.sent<wire::Heartbeat>().at(0).disk() == 2);
  CHECK(belief(m).disk == disk_level::full);
}

TEST_CASE("a majority counts as lost once nobody in sight has heard one for longer than the suspicion time") {
  lone_role<membership> m{setup(5)};
  m.start();
  CHECK(pass_with(m, 3s, {{n2, beat(true)}, {n3, beat(true)}}) == "");
  // This node hears n2 alone, and n2 hears a majority: commands may go through it.
  CHECK(pass_with(m, 5s, {{n2, beat(true)}}) == "");
  CHECK_FALSE(belief(m).majority);
  CHECK(pass_with(m, 900ms, {{n2, beat(false)}}) == "");
  CHECK(pass_with(m, 300ms, {{n2, beat(false)}}) == "admission{no majority}");
  CHECK(pass_with(m, 5s, {{n2, beat(false)}}) == "");
  // At once when somebody has one again.
  m.on(n2, beat(true));
  CHECK(told(m) == "admission{majority}");
  CHECK(m.notes() == "a majority is in sight again");
  // What somebody said before he fell silent counts no longer than he does.
  CHECK(pass_with(m, 3s, {}) == "admission{no majority}");
}

TEST_CASE("a node that has stood still does not take the majority for lost") {
  lone_role<membership> m{setup(3)};
  m.start();
  pass_with(m, 3s, {{n2, beat(true)}, {n3, beat(true)}});
  for (int i = 0; i < 3; ++i) {
    m.pass(20s);
    m.tick();
    CHECK(told(m) == "");
    CHECK_FALSE(belief(m).majority);
    m.pass(20s);
    m.tick();
    CHECK(told(m) == "");
    CHECK(pass_with(m, 500ms, {{n2, beat(true)}, {n3, beat(true)}}) == "");
    CHECK(belief(m).majority);
  }
}

TEST_CASE("a node alone in its cluster always has its majority") {
  lone_role<membership> m{setup(1)};
  m.start();
  CHECK(pass_with(m, 5s, {}) == "");
  m.on(n1, disk_room{disk_level::full});
  CHECK(told(m) == "admission{majority, no room to grow}");
  CHECK(m.notes() == "refuses writes: fewer than a majority could take one above the reserve of their disks; below "
                     "it: n1");
  m.on(n1, disk_room{disk_level::full});
  CHECK(told(m) == "");
  m.on(n1, disk_room{disk_level::spent});
  CHECK(told(m) == "admission{majority, no room to grow, no room to free}");
  CHECK(m.notes() == "");
  m.on(n1, disk_room{disk_level::low});
  CHECK(told(m) == "admission{majority}");
  CHECK(m.notes() == "takes writes again: a majority has room on its disks");
}

TEST_CASE("writes are refused exactly where fewer than a majority could take them") {
  for (std::uint32_t members = 1; members <= 7; ++members)
    for (std::uint32_t full = 0; full <= members; ++full)
      for (const auto own : {false, true}) {
        if ((own && full == 0) || (!own && full == members))
          continue;
        CAPTURE(members);
        CAPTURE(full);
        CAPTURE(own);
        lone_role<membership> m{setup(members)};
        m.start();
        std::map<node_id, wire::Heartbeat> heard;
        auto left = full - (own ? 1 : 0);
        for (std::uint32_t i = 2; i <= members; ++i)
          heard[node_id{i}] = beat(true, left > 0 && left-- > 0 ? disk_level::full : disk_level::low);
        if (own)
          m.on(n1, disk_room{disk_level::full});
        pass_with(m, 2s, heard);
        m.tick();
        CHECK(belief(m).takes_writes == (2 * (members - full) > members));
      }
}

TEST_CASE("who is silent could take nothing; who has not been heard yet might") {
  lone_role<membership> m{setup(3)};
  m.start();
  // n2 is full, and n3 has not said a word since this node's start.
  CHECK(pass_with(m, 800ms, {{n2, beat(true, disk_level::full)}}) == "");
  CHECK(pass_with(m, 400ms, {{n2, beat(true, disk_level::full)}}) == "admission{majority, no room to grow}");
  m.on(n3, beat(true));
  CHECK(told(m) == "admission{majority}");
  CHECK(pass_with(m, 3s, {{n2, beat(true, disk_level::full)}}) == "admission{majority, no room to grow}");
  // Without a majority it is not the disks that are short.
  CHECK(pass_with(m, 3s, {}) == "admission{majority}; admission{no majority}");
}

TEST_CASE("a level of a later version counts as the worst that is known") {
  lone_role<membership> m{setup(3)};
  m.start();
  auto odd = beat(true);
  odd.set_disk(77);
  m.on(n2, odd);
  m.on(n3, odd);
  CHECK(told(m) == "admission{majority, no room to grow, no room to free}");
}

}  // namespace quorate::testing
