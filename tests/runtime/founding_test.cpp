#include "runtime/founding.hpp"

#include "tests/harness/invariant_trap.hpp"
#include "tests/runtime/lone_role.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

constexpr node_id n1{1};
constexpr node_id n2{2};
constexpr node_id n3{3};
const journal_space space{group_id{0}, epoch_id{0}, port::founding};

wire::Founding spec_of(std::uint32_t nodes, std::string protocol = "paxos") {
  wire::Founding spec;
  spec.set_cluster("demo");
  spec.set_protocol(std::move(protocol));
  spec.set_machine("append_log");
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    auto* m = spec.add_members();
    m->set_id(i);
    m->set_name("n" + std::to_string(i));
  }
  return spec;
}

wire::Founding list_of(std::vector<std::uint64_t> disks) {
  auto list = spec_of(static_cast<std::uint32_t>(disks.size()));
  for (int i = 0; i < list.members_size(); ++i)
    list.mutable_members(i)->set_disk(disks[static_cast<std::size_t>(i)]);
  return list;
}

wire::Hello hello(node_id from, std::uint64_t disk, wire::Hello::Phase phase, wire::Founding founding) {
  wire::Hello msg;
  msg.set_cluster(founding.cluster());
  msg.set_name(text(from));
  msg.set_phase(phase);
  msg.set_disk(disk);
  *msg.mutable_founding() = std::move(founding);
  return msg;
}

wire::Hello blank(node_id from, std::uint64_t disk, wire::Founding spec = spec_of(3)) {
  return hello(from, disk, wire::Hello::BLANK, std::move(spec));
}

std::map<std::string, std::string> addresses;

/// Node 1 on disk 11, with a journal.
struct desk : lone_role<founding> {
  explicit desk(memory_journal& journal, wire::Founding spec = spec_of(3), std::uint64_t disk = 11)
      : lone_role{founding_setup{
            std::move(spec), {{node_id{4}, "n4", {}}}, addresses, n1, disk_id{disk}, 200ms}},
        journal_(journal) {
    role.recover(*journal.view(space));
  }
  template <class M>
  std::string on(node_id from, const M& m) {
    auto out = lone_role::on(from, m);
    static_cast<void>(journal_.commit(ops(space), true));
    return out;
  }
  memory_journal& journal_;
};

}  // namespace

TEST_CASE("a blank node says hello again and again and tells what it waits for") {
  memory_journal journal;
  desk d{journal};
  const auto first = d.start();
  CHECK(d.notes() == "waits for all members of the spec to be heard once");
  CHECK(d.sent<not_founded>().size() == 1);
  CHECK(d.sent_to<wire::Hello>() == std::vector{n2, n3});
  CHECK(has(first, "set_timer 1 200000us"));
  d.tick();
  CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::BLANK);
  CHECK(d.sent<wire::Hello>().at(0).disk() == 11);
  CHECK(d.notes() == "");
}

TEST_CASE("blank, confirmed, founded: each step is saved before anybody hears of it") {
  memory_journal journal;
  desk d{journal};
  d.start();
  CHECK(d.on(n2, blank(n2, 12)) == "");
  const auto said = d.on(n3, blank(n3, 13));
  CHECK(said.starts_with("save f\nsend n2,n3 Hello{"));
  CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::CONFIRMED);
  const auto list = list_of({11, 12, 13});
  CHECK(d.sent<wire::Hello>().at(0).founding().SerializeAsString() == list.SerializeAsString());
  CHECK(d.on(n2, hello(n2, 12, wire::Hello::CONFIRMED, list)) == "");
  const auto last = d.on(n3, hello(n3, 13, wire::Hello::CONFIRMED, list));
  CHECK(last.starts_with("save f\ncancel_timer 1\nsend n2,n3 Hello{"));
  REQUIRE(d.sent<founded>().size() == 1);
  const auto told = d.sent<founded>().front();
  CHECK(told.members.at(2) == member{n3, "n3", disk_id{13}});
  CHECK(told.protocol == "paxos");
  CHECK(d.notes() == "the cluster \"demo\" is founded: n1, n2, n3, protocol paxos");
  CHECK(d.tick() == "");
}

TEST_CASE("a node alone founds at once") {
  memory_journal journal;
  desk d{journal, spec_of(1)};
  d.start();
  REQUIRE(d.sent<founded>().size() == 1);
  CHECK(d.sent<wire::Hello>().empty());
}

TEST_CASE("a confirmation of another list founds nothing") {
  memory_journal journal;
  desk d{journal};
  d.start();
  d.on(n2, blank(n2, 12));
  d.on(n3, blank(n3, 13));
  d.on(n2, hello(n2, 12, wire::Hello::CONFIRMED, list_of({11, 12, 13})));
  d.on(n3, hello(n3, 13, wire::Hello::CONFIRMED, list_of({11, 99, 13})));
  CHECK(d.sent<founded>().empty());
  CHECK(d.sent<wire::Hello>().empty());
  CHECK(has(d.notes(), "n3 stands by other disks than those heard here"));
  CHECK(d.on(n3, hello(n3, 13, wire::Hello::CONFIRMED, list_of({11, 99, 13}))) == "");
}

TEST_CASE("a blank node on the list takes a founded cluster over") {
  memory_journal journal;
  desk d{journal};
  d.start();
  const auto said = d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list_of({11, 12, 13})));
  CHECK(said.starts_with("save f\n"));
  CHECK(d.sent<founded>().size() == 1);
}

TEST_CASE("a wiped disk does not join a founded cluster, and hears of it once") {
  memory_journal journal;
  desk d{journal, spec_of(3), 77};
  d.start();
  const auto other = hello(n2, 12, wire::Hello::FOUNDED, list_of({11, 12, 13}));
  d.on(n2, other);
  CHECK(d.sent<founded>().empty());
  CHECK(d.notes() ==
        "the cluster was founded with another disk of n1 (was this one wiped?): this node has no "
        "vote until it is replaced");
  CHECK(d.on(n2, other) == "");
  CHECK(d.on(n3, hello(n3, 13, wire::Hello::FOUNDED, list_of({11, 12, 13}))) == "");
}

TEST_CASE("a founded node answers who is not, and tells of a wiped disk once") {
  memory_journal journal;
  desk d{journal};
  d.start();
  const auto list = list_of({11, 12, 13});
  d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list));
  CHECK(d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list)) == "");
  d.on(n3, blank(n3, 13));
  CHECK(d.sent_to<wire::Hello>() == std::vector{n3});
  CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::FOUNDED);
  CHECK(d.notes() == "");

  d.on(n3, blank(n3, 99));
  CHECK(has(d.notes(), "n3 has come with a disk that is not a member's"));
  CHECK(d.sent<wire::Hello>().size() == 1);
  d.on(n3, blank(n3, 99));
  CHECK(d.notes() == "");
  CHECK(d.sent<wire::Hello>().size() == 1);
  d.on(n3, blank(n3, 98));
  CHECK(has(d.notes(), "n3 has come"));
}

TEST_CASE("specs that differ refuse each other and name the key, once per node") {
  struct row {
    std::string_view key;
    wire::Founding other;
  };
  std::vector<row> rows;
  rows.push_back({"cluster.name differs: here demo, there prod", spec_of(3)});
  rows.back().other.set_cluster("prod");
  rows.push_back({"cluster.nodes differs: here n1, n2, n3, there n1, n2, n3, n4", spec_of(4)});
  rows.push_back({"cluster.protocol differs: here paxos, there raft", spec_of(3, "raft")});
  rows.push_back({"cluster.paxos differs: here none, there window = 5", spec_of(3)});
  auto* option = rows.back().other.add_options();
  option->set_name("window");
  option->set_value("5");
  rows.push_back({"cluster.machine differs: here append_log, there key_value", spec_of(3)});
  rows.back().other.set_machine("key_value");
  for (const auto& r : rows) {
    memory_journal journal;
    desk d{journal};
    d.start();
    d.on(n2, blank(n2, 12, r.other));
    CHECK(d.notes() == "n2 has another spec: " + std::string{r.key});
    CHECK(d.on(n2, blank(n2, 12, r.other)) == "");
    d.on(n3, blank(n3, 13, r.other));
    CHECK(d.notes() == "n3 has another spec: " + std::string{r.key});
    // Neither counts as heard, and they do not make one another news again.
    CHECK(d.on(n2, blank(n2, 12, r.other)) == "");
    d.tick();
    CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::BLANK);
  }
  CHECK(founding_difference(spec_of(3), spec_of(3)) == "");
  CHECK(founding_difference(spec_of(3), list_of({1, 2, 3})) == "");
  auto swapped = spec_of(3);
  swapped.mutable_members()->SwapElements(0, 2);
  CHECK(founding_difference(spec_of(3), swapped) == "");
  swapped.mutable_members(0)->set_id(1);
  swapped.mutable_members(2)->set_id(3);
  CHECK(founding_difference(spec_of(3), swapped) ==
        "cluster.nodes differs: the same names, but under other numbers");
}

TEST_CASE("a node that is not in the spec is not counted") {
  memory_journal journal;
  desk d{journal};
  d.start();
  d.on(n2, blank(n2, 12));
  CHECK(d.on(node_id{9}, blank(node_id{9}, 19)) == "");
}

TEST_CASE("a wipe while the cluster is being founded is told, not founded over") {
  memory_journal journal;
  desk d{journal, spec_of(3), 77};
  d.start();
  d.on(n2, hello(n2, 12, wire::Hello::CONFIRMED, list_of({11, 12, 13})));
  d.on(n3, blank(n3, 13));
  CHECK(has(d.notes(), "n2 stands by other disks than those heard here"));
  CHECK(d.ops(space).empty());
}

TEST_CASE("a restart goes on where the node stood") {
  memory_journal journal;
  const auto list = list_of({11, 12, 13});
  {
    desk d{journal};
    d.start();
    d.on(n2, blank(n2, 12));
    d.on(n3, blank(n3, 13));
  }
  {
    desk d{journal};
    d.start();
    CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::CONFIRMED);
    // It has confirmed that list for good: another disk is not heard any more.
    d.on(n2, blank(n2, 99));
    CHECK(d.ops(space).empty());
    d.on(n2, hello(n2, 12, wire::Hello::CONFIRMED, list));
    d.on(n3, hello(n3, 13, wire::Hello::CONFIRMED, list));
    CHECK(d.sent<founded>().size() == 1);
  }
  desk d{journal};
  d.start();
  REQUIRE(d.sent<founded>().size() == 1);
  CHECK(d.sent<founded>().front().protocol == "paxos");
  CHECK(d.sent<founded>().front().machine == "append_log");
  CHECK(d.notes() == "");
  CHECK(d.sent<wire::Hello>().empty());
}

TEST_CASE("a node that was made with something else than it has confirmed or founded does not run") {
  memory_journal journal;
  const invariant_trap trap;
  const auto list = list_of({11, 12, 13});
  {
    desk d{journal};
    d.start();
    SUBCASE("confirmed") {
      d.on(n2, blank(n2, 12));
      d.on(n3, blank(n3, 13));
    }
    SUBCASE("founded") {
      d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list));
    }
  }
  auto machine = spec_of(3);
  machine.set_machine("key_value");
  auto swapped = spec_of(3);
  swapped.mutable_members(1)->set_name("n3");
  swapped.mutable_members(2)->set_name("n2");
  for (const auto& other : {spec_of(3, "raft"), spec_of(4), spec_of(2), machine, swapped}) {
    desk d{journal, other};
    CHECK_THROWS_AS(d.start(), invariant_broken);
  }
}

TEST_CASE("addresses that have changed since the last start are one line, and count") {
  memory_journal journal;
  const auto start = [&](std::map<std::string, std::string> spec) {
    addresses = std::move(spec);
    desk d{journal};
    d.start();
    static_cast<void>(journal.commit(d.ops(space), true));
    addresses.clear();
    const auto notes = d.notes();
    return notes.substr(0, notes.find('\n'));
  };
  constexpr std::string_view waits = "waits for all members of the spec to be heard once";
  CHECK(start({{"n1", "10.0.0.1:7"}, {"n2", "10.0.0.2:7"}}) == waits);
  CHECK(start({{"n1", "10.0.0.1:7"}, {"n2", "10.0.0.2:7"}}) == waits);
  CHECK(start({{"n1", "10.0.0.1:8"}, {"n2", "10.0.0.9:7"}, {"n3", "10.0.0.3:7"}}) ==
        "since the last start the spec has other addresses, which count: n1 at 10.0.0.1:8 (it was "
        "10.0.0.1:7), n2 at "
        "10.0.0.9:7 (it was 10.0.0.2:7)");
  // One that the spec has left out for a while is not forgotten.
  CHECK(start({{"n3", "10.0.0.3:7"}}) == waits);
  CHECK(
      start({{"n1", "10.0.0.1:9"}}) ==
      "since the last start the spec has other addresses, which count: n1 at 10.0.0.1:9 (it was 10.0.0.1:8)");
}

TEST_CASE("a hello counts by the name in it, whatever number its sender has for itself") {
  memory_journal journal;
  desk d{journal};
  d.start();
  d.on(n3, blank(n2, 12));
  d.on(n2, blank(n3, 13));
  CHECK(d.sent<wire::Hello>().at(0).founding().SerializeAsString() ==
        list_of({11, 12, 13}).SerializeAsString());
}

TEST_CASE("a node that was not founded is told so, and says what it is") {
  memory_journal journal;
  const auto list = list_of({11, 12, 13});
  {
    desk d{journal};
    d.start();
    d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list));
    // Its number for itself is another node's here.
    auto msg = blank(n2, 14, spec_of(4));
    msg.set_name("n4");
    d.on(n2, msg);
    CHECK(d.sent_to<wire::Hello>() == std::vector{node_id{4}});
    CHECK(d.sent<wire::Hello>().at(0).phase() == wire::Hello::FOUNDED);
    CHECK(d.notes() == "");
  }
  memory_journal blank_disk;
  auto spec = spec_of(4);
  spec.mutable_members(0)->set_name("n0");
  desk d{blank_disk, spec, 14};
  d.start();
  d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list));
  CHECK(d.notes() ==
        "the cluster was founded without n0 (its members: n1, n2, n3): this node has no vote, and this "
        "version adds no members");
  CHECK(d.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list)) == "");
}

TEST_CASE("what a disk holds instead of a founding stops the node") {
  memory_journal journal;
  CHECK(!journal.commit({{space.prefix() + "f", "\xff\xff", std::nullopt, false}}, true));
  const invariant_trap trap;
  CHECK_THROWS_AS(desk{journal}, invariant_broken);
}

TEST_CASE("clusters that were founded with different disks have different numbers") {
  memory_journal a;
  memory_journal b;
  desk first{a};
  desk second{b};
  first.start();
  second.start();
  first.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list_of({11, 12, 13})));
  second.on(n2, hello(n2, 12, wire::Hello::FOUNDED, list_of({11, 12, 14})));
  CHECK(first.sent<founded>().at(0).cluster != second.sent<founded>().at(0).cluster);
  CHECK(cluster_hash("a") != cluster_hash("b"));
}

}  // namespace quorate::testing
