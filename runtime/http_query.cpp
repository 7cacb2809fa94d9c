#include "runtime/http_query.hpp"

#include "runtime/http_target.hpp"
#include "runtime/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

std::variant<http_query, std::string> http_query::parse(std::string_view text,
                                                        std::span<const std::string_view> known) {
  http_query result;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty())
      continue;
    const auto equals = part.find('=');
    auto name = percent_decoded(part.substr(0, equals), true);
    if (!name || !is_utf8(*name))
      return "The parameter " + in_quotes(part.substr(0, equals)) + " has a name that cannot be decoded.";
    if (std::ranges::find(known, *name) == known.end())
      return "The parameter " + in_quotes(*name) + " is unknown here.";
    if (result.find(*name) != nullptr)
      return "The parameter \"" + *name + "\" is there twice.";
    if (equals == part.npos)
      return "The parameter \"" + *name + "\" has no value.";
    auto value = percent_decoded(part.substr(equals + 1), true);
    if (!value || !is_utf8(*value))
      return "The parameter \"" + *name + "\" has a value that cannot be decoded.";
    result.list_.push_back({std::move(*name), std::move(*value)});
  }
  return result;
}

const std::string* http_query::find(std::string_view name) const {
  const auto found = std::ranges::find(list_, name, &parameter::name);
  return found == list_.end() ? nullptr : &found->value;
}

std::optional<std::string> http_query::read(std::string_view name, std::uint64_t low, std::uint64_t high,
                                            std::uint64_t& value) const {
  const auto* text = find(name);
  if (text == nullptr)
    return std::nullopt;
  std::uint64_t number = 0;
  const auto* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc{} && stopped == end && number >= low && number <= high) {
    value = number;
    return std::nullopt;
  }
  return "The parameter \"" + std::string{name} + "\" must be a whole number from " + std::to_string(low) +
         " to " + std::to_string(high) + ".";
}

}  // namespace quorate
