// Pulls among several nodes: what goes between them is lost, doubled, late or damaged, and peers fall silent.
#include "sync/pull.hpp"

#include "tests/runtime/lone_role.hpp"
#include "tests/sync/toy_replica.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

namespace wire = sync::wire;
using namespace std::chrono_literals;
using chunk = with_payload<wire::Entries>;
using part = with_payload<wire::SnapshotPart>;

constexpr duration again = 300ms;

struct plan {
  std::uint32_t nodes = 3;
  std::size_t large = 300;  ///< bytes of most batches
  double restarts = 10;     ///< in percent of one kind of step
  double cuts = 20;
};

struct cluster {
  struct node {
    std::unique_ptr<lone_role<sync::pull>> role;
    toy_replica replica;
    std::deque<box> to_replica;
    std::deque<box> to_sync;
    std::uint64_t boot = 0;
    bool mute = false;
  };
  struct letter {
    std::uint32_t from;
    std::uint32_t to;
    box body;
  };

  cluster(std::uint64_t seed, const plan& p) : random(seed), faults_of(p) {
    const auto count = p.nodes;
    for (std::uint32_t i = 0; i < count; ++i)
      nodes.push_back({nullptr, toy_replica{p.large}, {}, {}, 0, false});
    for (std::uint32_t i = 0; i < count; ++i)
      restart(i);
    target = random.between(5, 40);
    for (std::uint32_t i = 1; i < count; ++i) {
      nodes[i].replica.grow_to(random.between(target / 2, target));
      nodes[i].replica.cut_to(random.below(target + 5));
    }
    nodes[1].replica.grow_to(target);
    nodes[0].replica.grow_to(random.below(target));
  }

  // A new process, whose replica is as it was: it stands for what is on disk.
  void restart(std::uint32_t i) {
    auto& n = nodes[i];
    sync::pull_setup setup{{}, node_id{i + 1}, boot_id{++n.boot}, again};
    for (std::uint32_t m = 0; m < nodes.size(); ++m)
      setup.members.push_back({node_id{m + 1}, "n" + std::to_string(m + 1), disk_id{m + 1}});
    n.role = std::make_unique<lone_role<sync::pull>>(std::move(setup));
    n.to_replica.clear();
    n.to_sync.clear();
    n.role->pass(now);
    n.role->start();
  }

  void take(std::uint32_t i) {
    auto& n = nodes[i];
    for (const auto& e : n.role->effects())
      if (const auto* send = std::get_if<send_effect>(&e)) {
        for (const auto to : send->to)
          if (send->message.to() == port::replica)
            n.to_replica.push_back(send->message);
          else
            letters.push_back({i, to.value - 1, send->message});
      }
  }

  template <class... Ms>
  void hand(std::uint32_t i, node_id from, const box& message) {
    (void)((message.get<Ms>() ? (nodes[i].role->on(from, *message.get<Ms>()), true) : false) || ...);
    take(i);
  }

  void deliver() {
    if (letters.empty())
      return;
    const auto at =
        letters.begin() + static_cast<std::ptrdiff_t>(random.chance(70) ? 0 : random.below(letters.size()));
    auto l = *at;
    if (!faults || !random.chance(10))
      letters.erase(at);
    if (faults && (random.chance(15) || nodes[l.from].mute || nodes[l.to].mute))
      return;
    if (faults && random.chance(3)) {
      damage<chunk>(l.body);
      damage<part>(l.body);
    }
    hand<wire::Pull, wire::Credit, chunk, part, wire::NothingNewer>(l.to, node_id{l.from + 1}, l.body);
  }

  template <class M>
  void damage(box& message) {
    const auto* m = message.get<M>();
    if (!m || m->body.empty())
      return;
    std::string bytes{m->body.view()};
    auto& byte = bytes[random.below(bytes.size())];
    byte = static_cast<char>(byte ^ static_cast<char>(1 << random.below(8)));
    message = box::of(M{m->head, payload{std::move(bytes)}});
  }

  // Within a node nothing is lost and everything keeps its order, but it may take its time.
  void work(std::uint32_t i) {
    auto& n = nodes[i];
    const node_id self{i + 1};
    if (!n.to_replica.empty() && random.chance(60)) {
      const auto message = n.to_replica.front();
      n.to_replica.pop_front();
      if (const auto* fetch = message.get<fetch_log>())
        n.to_sync.push_back(n.replica.on(*fetch));
      else if (const auto* entries = message.get<apply_entries>())
        n.to_sync.push_back(n.replica.on(*entries));
      else if (const auto* stage = message.get<stage_snapshot>())
        n.to_sync.push_back(n.replica.on(*stage));
    }
    if (!n.to_sync.empty() && random.chance(60)) {
      const auto message = n.to_sync.front();
      n.to_sync.pop_front();
      hand<log_part, log_gone, came_to>(i, self, message);
    }
  }

  void pass(duration time) {
    now += time;
    for (std::uint32_t i = 0; i < nodes.size(); ++i)
      nodes[i].role->pass(time);
  }

  // What replicas do once in a while: notice that others are ahead.
  void ticks() {
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      nodes[i].role->tick();
      take(i);
      catch_up behind{nodes[i].replica.next(), {}};
      for (std::uint32_t other = 0; other < nodes.size(); ++other)
        if (nodes[other].replica.next() > behind.next)
          behind.ahead.push_back(node_id{other + 1});
      if (behind.ahead.empty())
        continue;
      nodes[i].role->on(node_id{i + 1}, behind);
      take(i);
    }
  }

  void step() {
    const auto any = static_cast<std::uint32_t>(random.below(nodes.size()));
    switch (random.below(20)) {
    case 0:
      pass(again / 2);
      return ticks();
    case 1:
      if (random.chance(faults_of.restarts))
        return restart(any);
      if (random.chance(20))
        nodes[any].mute = !nodes[any].mute;
      return;
    case 2:
      if (random.chance(20))
        nodes[1].replica.grow_to(target += random.below(4));
      if (random.chance(faults_of.cuts))
        nodes[any].replica.cut_to(random.below(target + 1));
      return;
    default:
      deliver();
      work(any);
    }
  }

  [[nodiscard]] bool done() const {
    for (const auto& n : nodes)
      if (n.replica.next().value < target)
        return false;
    return true;
  }

  // Without faults; false where it does not end.
  bool calm() {
    faults = false;
    for (auto& n : nodes)
      n.mute = false;
    for (int round = 0; round < 200 && !done(); ++round) {
      pass(again);
      ticks();
      for (int i = 0; i < 400; ++i) {
        deliver();
        work(static_cast<std::uint32_t>(random.below(nodes.size())));
      }
    }
    return done();
  }

  prng random;
  plan faults_of;
  bool faults = true;
  time_point now{};
  std::uint64_t target = 0;
  std::vector<node> nodes;
  std::deque<letter> letters;
};

// \returns how many snapshots were taken over
std::uint64_t explore(std::uint64_t seeds, const plan& p) {
  std::uint64_t snapshots = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    cluster c{seed, p};
    for (int i = 0; i < 1'500; ++i)
      c.step();
    REQUIRE(c.calm());
    for (const auto& n : c.nodes) {
      n.replica.check();
      snapshots += n.replica.snapshots();
    }
  }
  return snapshots;
}

}  // namespace

TEST_CASE(
    "whatever is lost, doubled, late or damaged, every replica catches up with exactly the right state") {
  // Small states, many seeds: a snapshot is one part.
  CHECK(explore(150, {}) > 50);
}

TEST_CASE("snapshots of several parts survive all that, too") {
  CHECK(explore(20, {3, 200'000, 60, 80}) > 10);
  CHECK(explore(20, {2, 200'000, 60, 80}) > 10);
}

}  // namespace quorate::testing
