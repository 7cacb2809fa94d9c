// The table of keys that a cluster spec may have, and the kinds of their values.
#pragma once

#include <caf/config_value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

enum class value_kind { text, number, duration, dictionary, list };

/// The kind of value that belongs to `pattern`, a path with [] for each element of a list; nothing if there
/// is no such key. A protocol's own options are not in the table.
[[nodiscard]] std::optional<value_kind> kind_of_key(std::string_view pattern);
/// The full patterns of all keys.
[[nodiscard]] std::vector<std::string> all_keys();

/// "cluster.nodes[2].name" -> "cluster.nodes[].name".
[[nodiscard]] std::string pattern_of(std::string_view path);
/// "cluster.nodes[2].name" -> "cluster.nodes[2]"; empty at the top.
[[nodiscard]] std::string_view parent_of(std::string_view path);
/// "cluster.nodes[2].name" -> "name".
[[nodiscard]] std::string_view leaf_of(std::string_view path);

[[nodiscard]] bool is_of(const caf::config_value& value, value_kind kind);
/// "a text in quotes": what a value must be.
[[nodiscard]] std::string_view described(value_kind kind);
/// "a text": what a value is.
[[nodiscard]] std::string_view described(const caf::config_value& value);

/// A protocol's option as text, durations exact in their largest unit; nothing if it is not a single value.
[[nodiscard]] std::optional<std::string> option_text(const caf::config_value& value);
/// Exact, in the largest unit that divides it: "100ms".
[[nodiscard]] std::string duration_text(caf::timespan d);

}  // namespace quorate
