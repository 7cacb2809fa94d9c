// What the harness knows of each protocol beside its contract: one row each.
#include "tests/harness/mencius_check.hpp"
#include "tests/harness/paxos_check.hpp"
#include "tests/harness/simulator.hpp"

namespace quorate::testing {

namespace {

struct protocol_row {
  std::string_view name;
  std::vector<check_factory> (*checks)(std::size_t members);
  std::map<std::string, std::string> (*draw_options)(prng& random);
};

constexpr protocol_row rows[] = {
    {"mencius", mencius_checks, draw_mencius_options},
    {"paxos", paxos_checks, draw_paxos_options},
};

const protocol_row* row_of(std::string_view protocol) {
  for (const auto& row : rows)
    if (row.name == protocol)
      return &row;
  return nullptr;
}

}  // namespace

std::vector<check_factory> checks_of(std::string_view protocol, std::size_t members) {
  const auto* row = row_of(protocol);
  return row == nullptr ? std::vector<check_factory>{} : row->checks(members);
}

std::map<std::string, std::string> draw_options(std::string_view protocol, prng& random) {
  const auto* row = row_of(protocol);
  return row == nullptr ? std::map<std::string, std::string>{} : row->draw_options(random);
}

}  // namespace quorate::testing
