#include "actors/origin.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

using verdict = origin_filter::verdict;

constexpr disk_id disk_of(std::uint32_t node) {
  return disk_id{100 + node};
}

origin from(std::uint32_t node, std::uint64_t boot = 1) {
  return {7, group_id{0}, epoch_id{2}, node_id{node}, disk_of(node), boot_id{boot}};
}

std::vector<member> members(std::uint32_t count) {
  std::vector<member> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.push_back({node_id{i}, "n" + std::to_string(i), disk_of(i)});
  return out;
}

}  // namespace

TEST_CASE("members of the same cluster, group and epoch pass") {
  origin_filter filter{from(1), members(3)};
  CHECK(filter.check(from(2)) == verdict::pass);
  CHECK(filter.check(from(3, 9)) == verdict::pass);
  CHECK(filter.check(from(4)) == verdict::stranger);
}

TEST_CASE("another cluster, group or epoch is a stranger") {
  origin_filter filter{from(1), members(3)};
  auto other = from(2);
  other.cluster = 8;
  CHECK(filter.check(other) == verdict::stranger);
  other = from(2);
  other.group = group_id{1};
  CHECK(filter.check(other) == verdict::stranger);
  for (const std::uint64_t epoch : {1ULL, 3ULL}) {
    other = from(2);
    other.epoch = epoch_id{epoch};
    CHECK(filter.check(other) == verdict::stranger);
  }
}

TEST_CASE("a member's name on another disk is refused, and its boots count for nothing") {
  origin_filter filter{from(1), members(3)};
  auto wiped = from(2, 50);
  wiped.disk = disk_id{999};
  CHECK(filter.check(wiped) == verdict::other_disk);
  CHECK(filter.check(from(2, 3)) == verdict::pass);
}

TEST_CASE("once a boot was heard, earlier ones of that node do not pass") {
  origin_filter filter{from(1), members(3)};
  CHECK(filter.check(from(2, 3)) == verdict::pass);
  CHECK(filter.check(from(2, 3)) == verdict::pass);
  CHECK(filter.check(from(2, 2)) == verdict::old_boot);
  CHECK(filter.check(from(3, 2)) == verdict::pass);
  CHECK(filter.check(from(2, 4)) == verdict::pass);
  CHECK(filter.check(from(2, 3)) == verdict::old_boot);
}

TEST_CASE("a stranger's boot does not shut a member out") {
  origin_filter filter{from(1), members(3)};
  auto stranger = from(2, 1'000);
  stranger.cluster = 8;
  CHECK(filter.check(stranger) == verdict::stranger);
  CHECK(filter.check(from(2, 1)) == verdict::pass);
}

TEST_CASE("before founding any node of the cluster passes, a wiped disk with boots of its own") {
  origin_filter filter{from(1), {}};
  CHECK(filter.check(from(9, 5)) == verdict::pass);
  auto wiped = from(9, 1);
  wiped.disk = disk_id{999};
  CHECK(filter.check(wiped) == verdict::pass);
  CHECK(filter.check(from(9, 4)) == verdict::old_boot);
}

TEST_CASE("roles of one process pass whatever the cluster is called, but not across groups and epochs") {
  origin_filter filter{from(1), members(3)};
  auto own = from(1);
  own.cluster = 0;
  CHECK(filter.check(own) == verdict::pass);
  own.epoch = epoch_id{1};
  CHECK(filter.check(own) == verdict::stranger);
  // An earlier process of this very node is not this process.
  CHECK(filter.check(from(1, 2)) == verdict::pass);
  auto earlier = from(1, 0);
  earlier.cluster = 0;
  CHECK(filter.check(earlier) == verdict::stranger);
}

}  // namespace quorate::testing
