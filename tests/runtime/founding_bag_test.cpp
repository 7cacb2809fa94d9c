// Founding among several nodes: hellos are lost, doubled and late, nodes restart, disks are wiped, and each
// node's owner lists the nodes in an order of his own and edits the spec between two starts.
#include "runtime/founded_spec.hpp"
#include "runtime/founding.hpp"

#include "tests/harness/invariant_trap.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

#include <set>

namespace quorate::testing {

namespace {

const journal_space space{group_id{0}, epoch_id{0}, port::founding};

struct hellos {
  hellos(std::uint64_t seed, std::uint32_t count) : random(seed) {
    nodes.resize(count);
    for (std::uint32_t i = 0; i < count; ++i)
      wipe(i);
  }

  struct node {
    std::uint64_t disk = 0;
    std::unique_ptr<memory_journal> journal;
    std::unique_ptr<lone_role<founding>> role;
    std::string founded_with;
  };
  static std::string name_of(std::uint32_t i) { return "n" + std::to_string(i + 1); }

  /// What the node's owner has written: before it has confirmed, the truth in any order; later anything.
  [[nodiscard]] cluster_spec spec_of(std::uint32_t i) {
    cluster_spec spec;
    spec.name = "demo";
    spec.protocol = "paxos";
    spec.named = {"protocol", "machine"};
    const auto saved = founding::saved_in(*nodes[i].journal->view(space));
    const auto free = saved && saved->phase() != wire::Hello::BLANK;
    std::vector<std::uint32_t> order;
    for (std::uint32_t k = 0; k < nodes.size(); ++k)
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(random.below(order.size() + 1)), k);
    for (const auto k : order)
      if (k == i || !free || !random.chance(30))
        spec.nodes.push_back({name_of(k), "10.0.0." + std::to_string(k + 1), 7000, {}, 0, {}});
    if (free && random.chance(30))
      // Before all others, by its name.
      spec.nodes.push_back({"added", "10.0.0.99", 7000, {}, 0, {}});
    if (free && random.chance(30))
      spec.protocol = "mencius";
    if (free && random.chance(30))
      spec.machine = "key_value";
    if (free && random.chance(30))
      spec.protocol_options["window"] = "9";
    number_by_name(spec.nodes);
    return spec;
  }

  /// As a process makes its founding role.
  [[nodiscard]] founding_setup setup_of(std::uint32_t i) {
    const known_names known{{"paxos", "mencius"}, {"local"}, {"push-pull"}, {"append_log", "key_value"}, {}};
    auto settled = settle_spec(spec_of(i), name_of(i), *nodes[i].journal, known);
    REQUIRE(std::holds_alternative<founded_spec>(settled));
    const auto& spec = std::get<founded_spec>(settled).spec;
    founding_setup setup;
    setup.spec.set_cluster(spec.name);
    setup.spec.set_protocol(spec.protocol);
    setup.spec.set_machine(spec.machine);
    for (const auto& [name, value] : spec.protocol_options) {
      auto* option = setup.spec.add_options();
      option->set_name(name);
      option->set_value(value);
    }
    for (const auto& n : spec.nodes) {
      if (n.founded_without) {
        setup.strangers.push_back({n.id, n.name, {}});
        continue;
      }
      auto* m = setup.spec.add_members();
      m->set_id(n.id.value);
      m->set_name(n.name);
    }
    setup.self = spec.find(name_of(i))->id;
    setup.disk = disk_id{nodes[i].disk};
    setup.hello_every = 200ms;
    return setup;
  }

  struct letter {
    std::uint32_t from;
    std::uint32_t to;
    wire::Hello body;
  };

  void wipe(std::uint32_t i) {
    nodes[i].disk = ++disks;
    nodes[i].journal = std::make_unique<memory_journal>();
    nodes[i].founded_with.clear();
    restart(i);
  }

  void restart(std::uint32_t i) {
    auto& n = nodes[i];
    n.role = std::make_unique<lone_role<founding>>(setup_of(i));
    n.role->role.recover(*n.journal->view(space));
    n.role->start();
    run(i);
  }

  // Saves, then sends; a crash may come before or between, and takes what was not done with it.
  void run(std::uint32_t i) {
    auto& n = nodes[i];
    const auto crash = faults && random.chance(4) ? random.below(2) : 2;
    if (crash > 0)
      static_cast<void>(n.journal->commit(n.role->ops(space), true));
    if (crash > 1) {
      for (const auto& e : n.role->effects())
        if (const auto* send = std::get_if<send_effect>(&e))
          if (const auto* body = send->message.get<wire::Hello>())
            for (const auto to : send->to)
              if (to.value <= nodes.size())
                letters.push_back({i, to.value - 1, *body});
      for (const auto& told : n.role->sent<founded>())
        settle(i, told);
    }
    if (crash < 2)
      restart(i);
  }

  void settle(std::uint32_t i, const founded& told) {
    std::string disks_text;
    for (const auto& m : told.members)
      disks_text += std::to_string(m.disk.value) + " ";
    REQUIRE(told.protocol == "paxos");
    REQUIRE(told.machine == "append_log");
    REQUIRE(told.options.empty());
    for (std::uint32_t k = 0; k < nodes.size(); ++k)
      REQUIRE(told.members.at(k) == member{node_id{k + 1}, name_of(k), told.members.at(k).disk});
    REQUIRE(told.members.at(i).disk.value == nodes[i].disk);
    if (!nodes[i].founded_with.empty())
      REQUIRE(nodes[i].founded_with == disks_text);
    nodes[i].founded_with = disks_text;
    for (const auto& other : nodes)
      if (!other.founded_with.empty())
        REQUIRE(other.founded_with == disks_text);
  }

  void deliver() {
    if (letters.empty())
      return;
    const auto at = letters.begin() + static_cast<std::ptrdiff_t>(random.below(letters.size()));
    const auto l = *at;
    // What stays is delivered again, perhaps much later.
    if (!faults || !random.chance(20))
      letters.erase(at);
    if (faults && random.chance(15))
      return;
    nodes[l.to].role->on(node_id{l.from + 1}, l.body);
    run(l.to);
  }

  void tick(std::uint32_t i) {
    nodes[i].role->tick();
    run(i);
  }

  [[nodiscard]] std::uint32_t any() { return static_cast<std::uint32_t>(random.below(nodes.size())); }

  void step(double wipes) {
    if (random.chance(wipes))
      wipe(any());
    else if (random.chance(20))
      tick(any());
    else
      deliver();
    if (letters.size() > 300)
      letters.erase(letters.begin(), letters.begin() + 100);
  }

  void calm() {
    faults = false;
    for (int round = 0; round < 5; ++round) {
      for (std::uint32_t i = 0; i < nodes.size(); ++i)
        tick(i);
      while (!letters.empty())
        deliver();
    }
  }

  [[nodiscard]] std::size_t founded_nodes() const {
    std::size_t out = 0;
    for (const auto& n : nodes)
      out += n.founded_with.empty() ? 0 : 1;
    return out;
  }

  prng random;
  bool faults = true;
  std::uint64_t disks = 0;
  std::vector<node> nodes;
  std::vector<letter> letters;
};

}  // namespace

TEST_CASE("through lost, doubled and late hellos and restarts all nodes found the same cluster") {
  const invariant_trap trap;
  for (const std::uint32_t count : {1U, 3U, 5U})
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
      CAPTURE(count);
      CAPTURE(seed);
      hellos h{seed, count};
      for (int i = 0; i < 60; ++i)
        h.step(0);
      h.calm();
      REQUIRE(h.founded_nodes() == count);
    }
}

TEST_CASE("a disk that is wiped at any moment never makes two foundings") {
  const invariant_trap trap;
  std::size_t whole = 0;
  std::size_t partly = 0;
  for (const std::uint32_t count : {3U, 5U})
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      CAPTURE(count);
      CAPTURE(seed);
      hellos h{seed, count};
      for (int i = 0; i < 150; ++i)
        h.step(static_cast<double>(seed % 4));
      h.calm();
      const auto founded_by = h.founded_nodes();
      whole += founded_by == count ? 1 : 0;
      partly += founded_by > 0 && founded_by < count ? 1 : 0;
      // Who is left out, or all of them, stands still until somebody acts; who is on a list takes it over.
      if (founded_by > 0)
        for (std::uint32_t i = 0; i < count; ++i)
          if (h.nodes[i].founded_with.empty())
            for (const auto& n : h.nodes)
              REQUIRE(!has(" " + n.founded_with, " " + std::to_string(h.nodes[i].disk) + " "));
    }
  CHECK(whole > 20);
  CHECK(partly > 20);
}

}  // namespace quorate::testing
