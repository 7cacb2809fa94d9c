#include "runtime/state_agreement.hpp"

#include <doctest/doctest.h>

namespace quorate::testing {

namespace {

std::vector<node_id> members(std::uint32_t count) {
  std::vector<node_id> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.push_back(node_id{i});
  return out;
}

std::string text(const state_agreement::verdict& v) {
  std::string out;
  if (v.differs)
    out += "differs at " + std::to_string(v.differs->value) + " ";
  for (const auto& [node, at] : v.strayed)
    out += quorate::text(node) + " strayed at " + std::to_string(at.value) + " ";
  if (v.nobody_can_know)
    out += "nobody can know at " + std::to_string(v.nobody_can_know->value) + " ";
  return out;
}

}  // namespace

TEST_CASE("who differs from a majority at the same index is wrong, whoever it is") {
  struct row {
    std::uint32_t members;
    std::vector<std::uint64_t> hashes;  ///< at one index, of n1 (this node), n2, …; 0: has not told
    std::string verdict;
    std::uint64_t agreed;
  };
  for (const auto& r : std::vector<row>{
           {1, {5}, "", 0},
           {3, {5, 5, 0}, "", 8},
           {3, {5, 0, 6}, "nobody can know at 8 ", 0},
           {3, {5, 6, 6}, "differs at 8 ", 0},
           {3, {5, 5, 6}, "n3 strayed at 8 ", 8},
           {3, {5, 6, 7}, "nobody can know at 8 ", 0},
           {3, {0, 6, 6}, "", 0},
           {3, {0, 6, 7}, "nobody can know at 8 ", 0},
           {2, {5, 6}, "nobody can know at 8 ", 0},
           {2, {5, 5}, "", 8},
           {4, {5, 5, 6, 6}, "nobody can know at 8 ", 0},
           {4, {5, 6, 6, 6}, "differs at 8 ", 0},
           {5, {5, 6, 6, 0, 0}, "nobody can know at 8 ", 0},
           {5, {5, 6, 6, 6, 0}, "differs at 8 ", 0},
           {5, {5, 5, 5, 6, 7}, "n4 strayed at 8 n5 strayed at 8 ", 8},
           {5, {5, 7, 6, 6, 6}, "differs at 8 n2 strayed at 8 ", 0},
       }) {
    CAPTURE(r.hashes);
    state_agreement a{node_id{1}, members(r.members)};
    if (r.hashes[0] != 0)
      a.own(log_index{8}, r.hashes[0]);
    for (std::uint32_t i = 1; i < r.members; ++i)
      a.heard(node_id{i + 1}, log_index{8}, r.hashes[i]);
    CHECK(text(a.judge()) == r.verdict);
    CHECK(a.agreed().value == r.agreed);
  }
}

TEST_CASE("states at different indices say nothing of one another, and strangers nothing at all") {
  state_agreement a{node_id{1}, members(3)};
  for (std::uint64_t at = 1; at <= 9; ++at)
    a.own(log_index{at}, at);
  a.heard(node_id{2}, log_index{7}, 70);
  a.heard(node_id{3}, log_index{8}, 80);
  a.heard(node_id{4}, log_index{8}, 80);
  CHECK(text(a.judge()) == "nobody can know at 8 ");
  CHECK(a.differing().size() == 2);
  a.heard(node_id{2}, log_index{8}, 80);
  CHECK(text(a.judge()) == "differs at 8 ");
  // Said again for who wants to know; whose fault it is, once.
  CHECK(text(a.judge()) == "differs at 8 ");
}

TEST_CASE("a later agreement settles what nobody could know before") {
  state_agreement a{node_id{1}, members(3)};
  a.own(log_index{64}, 1);
  a.own(log_index{128}, 2);
  a.heard(node_id{3}, log_index{64}, 9);
  CHECK(text(a.judge()) == "nobody can know at 64 ");
  a.heard(node_id{3}, log_index{128}, 99);
  a.heard(node_id{2}, log_index{128}, 2);
  CHECK(text(a.judge()) == "n3 strayed at 128 ");
  CHECK(text(a.judge()) == "");
  CHECK(a.agreed() == log_index{128});
}

TEST_CASE("what a snapshot replaced is not compared, and old indices are let go of") {
  state_agreement a{node_id{1}, members(3)};
  a.own(log_index{64}, 1);
  a.own_replaced();
  a.heard(node_id{2}, log_index{64}, 9);
  a.heard(node_id{3}, log_index{64}, 9);
  CHECK(text(a.judge()) == "");
  CHECK(!a.own_at(log_index{64}));
  for (std::uint64_t at = 100; at < 20'000; ++at) {
    a.own(log_index{at}, at);
    a.heard(node_id{2}, log_index{at}, at);
  }
  CHECK(!a.own_at(log_index{100}));
  CHECK(a.own_at(log_index{19'999}) == 19'999);
  // Of n2 nothing so old is kept any more, and what n2 agrees with later settles it.
  a.heard(node_id{3}, log_index{16'000}, 9);
  CHECK(text(a.judge()) == "");
  CHECK(a.differing() == std::set{node_id{3}});
}

}  // namespace quorate::testing
