#include "runtime/file_budget.hpp"

#include <doctest/doctest.h>

using namespace quorate;

namespace {

cluster_spec spec_of(std::size_t nodes, std::uint64_t connections = 4096) {
  cluster_spec spec;
  spec.nodes.resize(nodes);
  spec.limits.connections = connections;
  return spec;
}

constexpr std::uint64_t segment_bytes = 16ULL << 20;

}  // namespace

TEST_CASE("clients get what is left of the files that were granted, and never more than the spec says") {
  for (const std::uint64_t granted : {512, 600, 1024, 4096, 8192, 1'048'576})
    for (std::size_t nodes = 1; nodes <= 9; ++nodes)
      for (const std::uint64_t connections : {1, 100, 4096, 65'536}) {
        const auto found = file_budget::of(granted, spec_of(nodes, connections), segment_bytes);
        REQUIRE(std::holds_alternative<file_budget>(found));
        const auto& b = std::get<file_budget>(found);
        CHECK(b.connections >= 1);
        CHECK(b.connections <= connections);
        CHECK(b.connections + b.turned_away + b.storage + b.nodes + b.own <= granted);
        if (b.connections < connections)
          CHECK(b.connections + b.turned_away + b.storage + b.nodes + b.own == granted);
      }
  const auto usual = std::get<file_budget>(file_budget::of(1024, spec_of(3), segment_bytes));
  CHECK(usual.connections > 400);
}

TEST_CASE("a node that could serve nobody says how many files it needs") {
  const auto found = file_budget::of(128, spec_of(3), segment_bytes);
  REQUIRE(std::holds_alternative<failure>(found));
  const auto& failed = std::get<failure>(found);
  CHECK(failed.message.find("only 128 open files are allowed") != std::string::npos);
}

TEST_CASE("no limit at all is enough for everybody") {
  const auto found = file_budget::of(~std::uint64_t{0}, spec_of(3), segment_bytes);
  REQUIRE(std::holds_alternative<file_budget>(found));
  CHECK(std::get<file_budget>(found).connections == 4096);
}
