#include "runtime/membership.hpp"

#include "actors/prng.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

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

}  // namespace quorate::testing
