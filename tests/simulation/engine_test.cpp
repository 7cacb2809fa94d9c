// The simulator itself, with toy roles.
#include "tests/harness/event_queue.hpp"
#include "tests/harness/invariant_trap.hpp"
#include "tests/harness/network_model.hpp"
#include "tests/harness/sim_node.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"

#include <caf/actor_control_block.hpp>

#include <doctest/doctest.h>

using namespace quorate;
using namespace quorate::testing;
using namespace std::chrono_literals;

namespace toy {

/// Said every millisecond, with the count saved first.
struct tick {
  static constexpr std::string_view name = "tick";
  std::uint64_t number = 0;
};
std::string text(const tick& t) {
  return "tick " + std::to_string(t.number);
}
std::size_t wire_size(const tick&) {
  return 8;
}

}  // namespace toy

template <>
inline constexpr port quorate::destination_of<toy::tick> = port::membership;

namespace {

/// Counts, saves the count, and tells the other node.
class ticker : public any_role {
public:
  explicit ticker(node_id other) : other_(other) {}

  port place() const override { return port::membership; }
  void recover(const journal_view& saved) override {
    if (const auto row = saved.get("n"))
      next_ = byte_reader{*row}.big<std::uint64_t>() + 1;
  }
  void start() override { out_.set_timer(timer_tag{1}, 1ms); }
  bool on(node_id, const box& message) override { return message.get<toy::tick>() != nullptr; }
  void on_timer(timer_tag) override {
    out_.save("n", ordered_key(next_));
    out_.send(other_, toy::tick{next_});
    ++next_;
    out_.set_timer(timer_tag{1}, 1ms);
  }
  void on_rows(journal_rows) override {}
  effects& out() override { return out_; }
  caf::strong_actor_ptr spawn(std::unique_ptr<any_role>, caf::actor_system&,
                              std::shared_ptr<shell_environment>, const role_identity&) override {
    return {};
  }

private:
  node_id other_;
  std::uint64_t next_ = 0;
  outbox<toy::tick> out_;
};

class one_ticker : public assembly {
public:
  one_ticker(const node_setup& setup, role_runner& runner) : setup_(setup), runner_(runner) {}
  void start() override {
    const journal_space space{group_id{}, epoch_id{}, port::membership};
    auto role = std::make_unique<ticker>(node_id{2});
    role->recover(*setup_.saved->view(space));
    runner_.run(std::move(role), {space, {1, {}, {}, setup_.self, setup_.disk, setup_.boot}, {}});
  }
  void on(node_id, const box&) override {}

private:
  node_setup setup_;
  role_runner& runner_;
};

/// One node with a ticker; what it sends is written down.
struct bench : sim_cluster {
  scenario plan;
  mutations mutants;
  event_queue events;
  transcript log{nullptr};
  verdict result;
  watchers checks;
  counters count;
  surroundings around{plan, mutants, events, log, result, checks, count, {}};
  sim_node node{setup(),
                [](const node_setup& s, role_runner& r) { return std::make_unique<one_ticker>(s, r); },
                around, *this, 7};
  std::vector<std::pair<time_point, std::uint64_t>> heard;
  std::vector<boot_id> boots;

  static node_setup setup() {
    node_setup s;
    s.self = node_id{1};
    return s;
  }
  void transmit(const origin& from, node_id, const role_address&, const box& message) override {
    heard.emplace_back(events.now(), message.get<toy::tick>()->number);
    boots.push_back(from.boot);
  }
  void to_client(node_id, const box&) override {}
  void stopped(node_id) override {}
  void run_for(duration d) {
    for (const auto end = events.now() + d; !events.empty() && events.next() < end;)
      events.step();
  }
};

}  // namespace

TEST_CASE(
    "events happen in the order of their times, and those of one time in the order they were asked for") {
  event_queue q;
  std::string seen;
  q.at(3ms, [&] { seen += 'c'; });
  q.at(1ms, [&] {
    seen += 'a';
    q.after(0ms, [&] { seen += 'b'; });
    q.at(0ms, [&] { seen += '!'; });  // the past is now
  });
  q.at(3ms, [&] { seen += 'd'; });
  while (q.step()) {
  }
  CHECK(seen == "ab!cd");
  CHECK(q.now() == 3ms);
}

TEST_CASE("a cut link carries nothing, cuts add up, and healing ends everything") {
  network_conditions bad;
  bad.loss = 100;
  network_model lossy{2, bad, 1};
  CHECK(lossy.plan(node_id{1}, node_id{2}, 0ms).empty());
  lossy.heal();
  CHECK(lossy.plan(node_id{1}, node_id{2}, 0ms).size() == 1);

  network_model net{2, {}, 1};
  net.cut(node_id{1}, node_id{2});
  net.cut(node_id{1}, node_id{2});
  net.mend(node_id{1}, node_id{2});
  CHECK(net.plan(node_id{1}, node_id{2}, 0ms).empty());
  CHECK(net.plan(node_id{2}, node_id{1}, 0ms).size() == 1);
  net.mend(node_id{1}, node_id{2});
  CHECK(net.plan(node_id{1}, node_id{2}, 0ms).size() == 1);

  net.slow_down(node_id{1}, node_id{2}, 50ms);
  CHECK(net.plan(node_id{1}, node_id{2}, 0ms).front() >= 50ms);
  net.heal();
  CHECK(net.plan(node_id{1}, node_id{2}, 0ms).front() < 50ms);
}

TEST_CASE("a link that does not reorder keeps the order of its messages") {
  network_conditions c;
  c.reorder = false;
  c.stray = 50;
  network_model net{2, c, 5};
  time_point last{};
  for (auto now = time_point{}; now < 100ms; now += 1ms) {
    const auto arrives = now + net.plan(node_id{1}, node_id{2}, now).front();
    CHECK(arrives >= last);
    last = arrives;
  }
}

TEST_CASE("what was heard of was durable: after any crash a node goes on behind it") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    bench b;
    b.plan.sync_max = 20ms;  // so that crashes find writes under way
    prng random{seed};
    for (int life = 0; life < 5; ++life) {
      b.node.start();
      b.run_for(duration{random.below(100'000'000)});
      b.node.crash();
    }
    for (std::size_t i = 1; i < b.heard.size(); ++i)
      CHECK(b.heard[i].second > b.heard[i - 1].second);
    CHECK(!b.result.failed());
  }
}

TEST_CASE("a journal that lies about its syncs is caught") {
  bench b;
  b.mutants.acknowledge_early = true;
  b.node.start();
  b.run_for(10ms);
  CHECK(b.result.why().starts_with("save before send: "));
}

TEST_CASE("a frozen node does nothing, and then what was due") {
  bench b;
  b.node.start();
  b.run_for(20ms);
  b.node.freeze();
  const auto before = b.heard.size();
  b.run_for(50ms);
  CHECK(b.heard.size() == before);
  b.node.thaw();
  b.run_for(20ms);
  CHECK(b.heard.size() > before);
}

TEST_CASE("a node whose disk fails says nothing more and stops") {
  bench b;
  b.node.start();
  b.run_for(20ms);
  b.node.break_disk();
  const auto before = b.heard.size();
  b.run_for(50ms);
  CHECK(!b.node.alive());
  CHECK(b.heard.size() <= before + 1);  // what was durable already may still leave
}

TEST_CASE("a node whose disk is full stops, and cannot start before there is space") {
  bench b;
  b.node.start();
  b.run_for(20ms);
  b.node.fill_disk();
  b.run_for(50ms);
  CHECK(!b.node.alive());
  CHECK(!b.node.can_start());
  b.node.free_disk();
  REQUIRE(b.node.can_start());
  const auto before = b.heard.size();
  b.node.start();
  b.run_for(20ms);
  REQUIRE(b.heard.size() > before);
  CHECK(b.heard[before].second > b.heard[before - 1].second);
}

TEST_CASE("of what was not synced a crash leaves as much as it is told to") {
  for (const std::uint64_t survives : {0, 50, 100}) {
    sim_disk disk{disk_id{1}};
    prng random{1};
    for (int i = 0; i < 10; ++i) {
      const auto key = "k" + std::to_string(i);
      REQUIRE(disk.write({{key, {}, std::nullopt, false}}));
    }
    disk.end_sync(4);
    disk.crash(random, survives);
    CHECK(disk.written() == 4 + 6 * survives / 100);
  }
}

TEST_CASE("a wiped disk is another disk, and begins at nothing") {
  bench b;
  b.node.start();
  b.run_for(20ms);
  const auto disk = b.node.disk().id();
  b.node.wipe();
  b.heard.clear();
  b.node.start();
  b.run_for(20ms);
  CHECK(b.node.disk().id() != disk);
  REQUIRE(!b.heard.empty());
  CHECK(b.heard.front().second == 0);
}

TEST_CASE("every start has a higher boot") {
  bench b;
  for (int i = 0; i < 3; ++i) {
    b.node.start();
    b.run_for(20ms);
    b.node.crash();
  }
  REQUIRE(!b.boots.empty());
  CHECK(b.boots.front() == boot_id{1});
  CHECK(b.boots.back() == boot_id{3});
}

TEST_CASE("a broken invariant becomes something that can be reported") {
  const invariant_trap trap;
  CHECK_THROWS_AS(ENSURE(false, "two leaders"), invariant_broken);
}

TEST_CASE("a seed stands for a number of members, three most often") {
  std::map<std::size_t, int> drawn;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const auto s = scenario::from_seed(seed, "paxos");
    ++drawn[s.members];
    if (seed <= 100)
      CHECK(text(s) == text(scenario::from_seed(seed, s.members, "paxos")));
  }
  CHECK(drawn.size() == 7);
  CHECK(drawn.begin()->first == 1);
  CHECK(drawn.rbegin()->first == 7);
  for (const auto& [members, times] : drawn)
    CHECK_MESSAGE(times <= drawn[3], members << " members");
}

TEST_CASE("every kind of fault is drawn") {
  std::map<fault_kind, int> drawn;
  for (std::uint64_t seed = 1; seed <= 500; ++seed)
    for (const auto& f : scenario::from_seed(seed, 3).faults)
      ++drawn[f.kind];
  for (auto kind = fault_kind::crash; to_string(kind) != "unknown";
       kind = static_cast<fault_kind>(static_cast<int>(kind) + 1))
    CHECK_MESSAGE(drawn[kind] > 20, to_string(kind));
}

TEST_CASE("a scenario depends on its seed alone, and no scenario takes a majority's disks") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto s = scenario::from_seed(seed, 3, "paxos");
    CHECK(text(s) == text(scenario::from_seed(seed, 3, "paxos")));
    std::size_t wipes = 0;
    for (const auto& f : s.faults)
      wipes += f.kind == fault_kind::wipe ? 1 : 0;
    CHECK(wipes <= 1);
  }
}
