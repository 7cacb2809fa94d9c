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
  void (*draw_limits)(role_limits& out, prng& random);
  std::vector<command_id> (*handed_on)(const box& message);
};

constexpr protocol_row rows[] = {
    {"mencius", mencius_checks, draw_mencius_options, draw_mencius_limits, handed_on_by_mencius},
    {"paxos", paxos_checks, draw_paxos_options, draw_paxos_limits, nullptr},
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

std::vector<command_id> commands_handed_on(const box& message) {
  for (const auto& row : rows)
    if (row.handed_on != nullptr)
      if (auto list = row.handed_on(message); !list.empty())
        return list;
  return {};
}

void draw_limit(role_limits& out, std::string_view name, std::uint64_t least, std::uint64_t most,
                prng& random) {
  // The least of all is a case of its own.
  if (random.chance(70))
    out.set(name, random.chance(30) ? least : random.between(least, most));
}

role_limits draw_limits(std::string_view protocol, prng& random) {
  role_limits out;
  draw_limit(out, "sync.chunk_bytes_max", 60, 1'000, random);
  draw_limit(out, "sync.serving_idle_max_ms", 20, 1'000, random);
  draw_limit(out, "replica.far_behind", 1, 20, random);
  draw_limit(out, "replica.hashes_max", 1, 20, random);
  if (const auto* row = row_of(protocol))
    row->draw_limits(out, random);
  return out;
}

std::map<std::string, std::string> draw_options(std::string_view protocol, prng& random) {
  const auto* row = row_of(protocol);
  return row == nullptr ? std::map<std::string, std::string>{} : row->draw_options(random);
}

}  // namespace quorate::testing
