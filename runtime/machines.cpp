#include "runtime/machines.hpp"

#include "runtime/append_log.hpp"
#include "runtime/key_value.hpp"

#include <algorithm>
#include <array>

namespace quorate {

std::span<const machine_row> machines() {
  static const std::array<machine_row, 2> rows{{
      {"append_log", "a log of JSON values, over POST /append_log and GET /log",
       [] { return std::make_unique<append_log>(); }},
      {"key_value", "a map with put, erase and compare-and-set",
       [] { return std::make_unique<key_value>(); }},
  }};
  return rows;
}

const machine_row* find_machine(std::string_view name) {
  const auto rows = machines();
  const auto row = std::ranges::find(rows, name, &machine_row::name);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace quorate
