// What all fuzz targets have in common.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace quorate::fuzz {

/// A function of ours that takes bytes of strangers, with what must hold whatever they are.
struct target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

[[nodiscard]] std::span<const target> targets();
/// Null where there is none of this name.
[[nodiscard]] const target* find_target(std::string_view name);

/// What a target expects does not hold: libFuzzer takes it for a crash, doctest for a failure.
class broken : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

inline void expect(bool holds, const char* what) {
  if (!holds)
    throw broken{what};
}

void http_parser_bytes(std::string_view bytes);
void append_body_bytes(std::string_view bytes);
void json_text_bytes(std::string_view bytes);
void http_query_bytes(std::string_view bytes);
void spec_bytes(std::string_view bytes);
void commands_bytes(std::string_view bytes);
void append_log_bytes(std::string_view bytes);
void key_value_bytes(std::string_view bytes);
void stored_state_bytes(std::string_view bytes);
void wal_tail_bytes(std::string_view bytes);
void messages_bytes(std::string_view bytes);
void founding_bytes(std::string_view bytes);
void frames_bytes(std::string_view bytes);

}  // namespace quorate::fuzz
