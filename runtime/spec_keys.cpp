#include "runtime/spec_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace quorate {

namespace {

using namespace std::chrono_literals;

struct known_key {
  std::string_view pattern;
  value_kind kind;
};

constexpr std::array known_keys = {
    known_key{"cluster", value_kind::dictionary},
    known_key{"cluster.name", value_kind::text},
    known_key{"cluster.protocol", value_kind::text},
    known_key{"cluster.balancer", value_kind::text},
    known_key{"cluster.sync", value_kind::text},
    known_key{"cluster.machine", value_kind::text},
    known_key{"cluster.nodes", value_kind::list},
    known_key{"cluster.nodes[].name", value_kind::text},
    known_key{"cluster.nodes[].host", value_kind::text},
    known_key{"cluster.nodes[].port", value_kind::number},
    known_key{"cluster.nodes[].listen", value_kind::text},
    known_key{"cluster.nodes[].http", value_kind::text},
    known_key{"cluster.timeouts", value_kind::dictionary},
    known_key{"cluster.timeouts.request", value_kind::duration},
    known_key{"cluster.timeouts.heartbeat", value_kind::duration},
    known_key{"cluster.timeouts.suspect", value_kind::duration},
    known_key{"cluster.limits", value_kind::dictionary},
    known_key{"cluster.limits.link-bytes", value_kind::number},
    known_key{"cluster.limits.requests-in-flight", value_kind::number},
    known_key{"cluster.limits.connections", value_kind::number},
    known_key{"cluster.limits.log-entries", value_kind::number},
    known_key{"cluster.limits.log-bytes", value_kind::number},
    known_key{"cluster.limits.disk-reserve", value_kind::number},
};

}  // namespace

std::optional<value_kind> kind_of_key(std::string_view pattern) {
  for (const auto& key : known_keys)
    if (key.pattern == pattern)
      return key.kind;
  return std::nullopt;
}

std::vector<std::string> all_keys() {
  std::vector<std::string> out;
  out.reserve(known_keys.size());
  for (const auto& key : known_keys)
    out.emplace_back(key.pattern);
  return out;
}

std::string pattern_of(std::string_view path) {
  std::string out;
  auto inside = false;
  for (const auto c : path) {
    inside = inside && c != ']';
    if (!inside)
      out.push_back(c);
    inside = inside || c == '[';
  }
  return out;
}

std::string_view parent_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view leaf_of(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

bool is_of(const caf::config_value& value, value_kind kind) {
  switch (kind) {
  case value_kind::text:
    return caf::holds_alternative<std::string>(value);
  case value_kind::number:
    return caf::holds_alternative<caf::config_value::integer>(value);
  case value_kind::duration:
    return caf::holds_alternative<caf::timespan>(value);
  case value_kind::dictionary:
    return caf::holds_alternative<caf::settings>(value);
  case value_kind::list:
    return caf::holds_alternative<caf::config_value::list>(value);
  }
  return false;
}

std::string_view described(value_kind kind) {
  switch (kind) {
  case value_kind::text:
    return "a text in quotes";
  case value_kind::number:
    return "a whole number";
  case value_kind::duration:
    return "a duration such as 5s or 100ms";
  case value_kind::dictionary:
    return "a dictionary in braces";
  case value_kind::list:
    return "a list in brackets";
  }
  return {};
}

std::string_view described(const caf::config_value& value) {
  if (is_of(value, value_kind::text))
    return "a text";
  if (is_of(value, value_kind::number))
    return "a whole number";
  if (is_of(value, value_kind::duration))
    return "a duration";
  if (is_of(value, value_kind::dictionary))
    return "a dictionary";
  if (is_of(value, value_kind::list))
    return "a list";
  return caf::holds_alternative<bool>(value) ? "true or false" : "a fraction";
}

std::string duration_text(caf::timespan d) {
  struct unit {
    const char* name;
    caf::timespan length;
  };
  if (d == d.zero())
    return "0s";
  for (const auto& u : {unit{"min", 1min}, unit{"s", 1s}, unit{"ms", 1ms}, unit{"us", 1us}})
    if (d % u.length == d.zero())
      return std::to_string(d / u.length) + u.name;
  return std::to_string(d.count()) + "ns";
}

std::optional<std::string> option_text(const caf::config_value& value) {
  if (const auto* text = caf::get_if<std::string>(&value))
    return *text;
  if (const auto* number = caf::get_if<caf::config_value::integer>(&value))
    return std::to_string(*number);
  if (const auto* span = caf::get_if<caf::timespan>(&value))
    return duration_text(*span);
  if (const auto* flag = caf::get_if<bool>(&value))
    return *flag ? "true" : "false";
  if (const auto* fraction = caf::get_if<double>(&value)) {
    std::array<char, 64> digits = {};
    auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), *fraction).ptr;
    return std::string(digits.data(), end);
  }
  return std::nullopt;
}

}  // namespace quorate
