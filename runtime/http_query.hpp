// Query strings of the HTTP interface.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quorate {

/// The parameters behind a target's question mark, decoded as forms are.
/// Invariant: each is one of the known names, and there at most once.
class http_query {
public:
  /// The parameters, or one sentence that says which of them cannot be accepted.
  [[nodiscard]] static std::variant<http_query, std::string> parse(std::string_view text,
                                                                   std::span<const std::string_view> known);

  [[nodiscard]] const std::string* find(std::string_view name) const;

  /// Puts the parameter's number into `value` if it is there; one sentence where it is no whole number in
  /// [low, high].
  [[nodiscard]] std::optional<std::string> read(std::string_view name, std::uint64_t low, std::uint64_t high,
                                                std::uint64_t& value) const;

private:
  struct parameter {
    std::string name;
    std::string value;
  };
  std::vector<parameter> list_;
};

}  // namespace quorate
