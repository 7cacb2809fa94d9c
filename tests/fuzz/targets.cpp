#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace quorate::fuzz {

std::span<const target> targets() {
  static constexpr target all[] = {
      {"http_parser", &http_parser_bytes},
      {"append_body", &append_body_bytes},
      {"json_text", &json_text_bytes},
      {"http_query", &http_query_bytes},
      {"spec", &spec_bytes},
      {"commands", &commands_bytes},
      {"append_log", &append_log_bytes},
      {"key_value", &key_value_bytes},
      {"stored_state", &stored_state_bytes},
      {"wal_tail", &wal_tail_bytes},
      {"messages", &messages_bytes},
      {"founding", &founding_bytes},
      {"frames", &frames_bytes},
  };
  return all;
}

const target* find_target(std::string_view name) {
  const auto all = targets();
  const auto found = std::ranges::find(all, name, &target::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace quorate::fuzz
